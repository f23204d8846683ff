// The safetensors format: named tensors and text metadata in one file that can be checked before it is trusted.
//
//   u64 little-endian n | JSON header, n bytes | data
//   header: {"__metadata__": {key: text, ...}, name: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]},
//   ...}
//
// Offsets count from the start of the data, which the tensors fill without gaps or overlaps.
// Source: https://huggingface.co/docs/safetensors, "Format".
//
// Files written here have an extra key in their metadata, "rill_crc32": the CRC-32 (as in zlib and PNG) of the whole
// file with these eight hexadecimal digits set to zeros. It is checked if present; files of other writers have none.
#pragma once

#include <map>
#include <string>

#include "nn/named_tensor.hpp"

namespace rill::nn {

struct SafeTensors {
  NamedTensors tensors;  ///< in the order of their data
  std::map<std::string, std::string>
      metadata;  ///< keys are UTF-8; values any bytes, as UTF-8 by autodiff/json.hpp's to_utf8
};

/// Writes a file atomically (autodiff/file.hpp), with the tensors in the given order and in the type of Real, F32 or
/// F64. Equal contents give equal bytes.
/// Throws std::invalid_argument for a name or metadata key that is used twice, reserved or not UTF-8; FileError when
/// the file cannot be written.
void save_safetensors(const std::string& path, const SafeTensors& contents);

/// Reads a file. F64, F32, F16 and BF16 data become Real.
/// Throws FileError, which names the file, the tensor and what is wrong, for anything that breaks the format: a file
/// that is too short or too long, a header past the end or over 100 MB, invalid UTF-8 or JSON, JSON nested too deep, a
/// key that occurs twice, an unknown or non-floating dtype, a bad shape, offsets that leave gaps, overlap or disagree
/// with the shape, or a wrong checksum, if the file has one.
SafeTensors load_safetensors(const std::string& path);

}  // namespace rill::nn
