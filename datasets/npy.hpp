// .npy, NumPy's file format for one array.
#pragma once

#include <string>

#include "autodiff/tensor.hpp"

namespace rill::datasets {

/// Reads an array and converts its elements to Reals. Format (numpy.lib.format): the magic "\x93NUMPY", two version
/// bytes, the header's length (little-endian, 2 bytes in version 1, 4 in versions 2 and 3), the header, a Python
/// dictionary with the keys descr, fortran_order and shape, and the elements.
/// Versions 1.0 to 3.0, f4, f8, signed and unsigned integers of 1 to 8 bytes and booleans, of either byte order, in C
/// or Fortran order. Throws FileError, saying what was found and what was expected, for anything else: another magic or
/// version, a header that is cut off or is not such a dictionary, other element types, more axes than a tensor may
/// have, sizes that overflow, and fewer or more bytes than the shape needs.
Tensor read_npy(const std::string& path);

/// Writes a tensor as version 1.0, little-endian, C order, in the type of Real (f4 or f8). The file appears all at
/// once. Throws FileError.
void write_npy(const std::string& path, const Tensor& tensor);

}  // namespace rill::datasets
