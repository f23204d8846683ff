// Files of weights around a text of the fuzzer's.
#pragma once

#include <string>

#include "autodiff/json.hpp"
#include "nn/checkpoint.hpp"
#include "nn/named_tensor.hpp"

namespace rill::fuzz {

/// The bytes of a safetensors file, without the detour over a disk that save_safetensors() takes.
inline std::string safetensors_text(const nn::Metadata& metadata, const nn::NamedTensors& tensors) {
  Json header = {{"__metadata__", metadata}};
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.data()), static_cast<std::size_t>(tensor.size()) * sizeof(Real));
    const std::vector<Index> shape(tensor.shape().begin(), tensor.shape().end());
    header[name] = Json{{"dtype", sizeof(Real) == 4 ? "F32" : "F64"},
                        {"shape", shape},
                        {"data_offsets", Json::Array{begin, data.size()}}};
  }
  const std::string text = dump_json(header);
  const std::uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + text + data;
}

}  // namespace rill::fuzz
