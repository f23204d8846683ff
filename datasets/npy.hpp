// .npy, NumPy's file format for one array.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// An array of any element type, as doubles; integers beyond 2^53 are rounded.
struct NpyArray {
  Shape shape;
  std::vector<double> values;  ///< row-major

  Tensor to_tensor() const;
};

/// Reads an array. Format (numpy.lib.format): the magic "\x93NUMPY", two version bytes, the header's length
/// (little-endian, 2 bytes in version 1, 4 in versions 2 and 3), the header, a Python dictionary with the keys descr,
/// fortran_order and shape, and the elements.
/// Versions 1.0 to 3.0, f2, f4, f8, signed and unsigned integers of 1 to 8 bytes and booleans, of either byte order, in
/// C or Fortran order. Throws FileError, saying what was found and what was expected, for anything else: a wrong magic
/// or version, a header that is truncated or is not such a dictionary, other element types, more axes than a tensor may
/// have, sizes that overflow, and fewer or more bytes than the shape needs.
NpyArray read_npy(const std::string& path);
/// The same for bytes in memory; messages call them `name`.
NpyArray parse_npy(std::string_view bytes, const std::string& name);

/// Writes an array as version 1.0, little-endian, C order: a tensor in the type of Real (f4 or f8), doubles as f8. The
/// file appears all at once. Throws FileError, and std::invalid_argument unless there are as many values as the shape
/// says.
void write_npy(const std::string& path, const Tensor& tensor);
void write_npy(const std::string& path, const Shape& shape, std::span<const double> values);

}  // namespace rill::datasets
