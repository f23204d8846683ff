// IDX, the format of MNIST and its successors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autodiff/shape.hpp"

namespace rill::datasets {

/// An array of bytes, row-major.
struct IdxArray {
  Shape shape;
  std::vector<std::uint8_t> bytes;
};

/// Reads an IDX file of unsigned bytes, raw or compressed by gzip. The format (Y. LeCun, C. Cortes, "The MNIST
/// database"): two zero bytes, one byte for the element type (08 is the unsigned byte), one for the rank, the sizes as
/// big-endian 32-bit numbers, and the elements in row-major order.
/// Throws FileError, saying what was found and what was expected, for: a file that cannot be read or is compressed and
/// damaged; a wrong magic number; an element type that is unknown or not 08; a rank outside 1 to 4; sizes whose product
/// is too large; sizes that a file of this length cannot hold, before memory is allocated for them; fewer or more
/// elements than the sizes say.
IdxArray read_idx(const std::string& path);

}  // namespace rill::datasets
