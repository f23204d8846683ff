// Writes the fuzzers' seeds to folders named after the targets: small files of every kind, made by rill's own writers
// if possible, and in TARGET/found inputs that once broke a reader.
//   seeds FOLDER
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "datasets/csv.hpp"
#include "datasets/npy.hpp"
#include "flow/model/flow_matching.hpp"
#include "flow/model/model_file.hpp"
#include "nn/checkpoint.hpp"
#include "nn/safetensors.hpp"
#include "nn/time_networks.hpp"
#include "tests/fuzz/safetensors_text.hpp"

namespace {

using namespace rill;
using namespace std::string_literals;
namespace fs = std::filesystem;

fs::path root;

/// The path of a seed, whose folder is made.
std::string path(const std::string& name) {
  fs::create_directories((root / name).parent_path());
  return root / name;
}

void write(const std::string& name, const std::string& bytes) { std::ofstream(path(name), std::ios::binary) << bytes; }

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

void images() {
  const std::string idx = "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"s + "abcdefghijkl";
  const std::string labels = "\0\0\x08\x01\0\0\0\x04\0\1\2\3"s;
  write("idx/images", idx);
  write("idx/labels", labels);
  const gzFile file = gzopen(path("idx/compressed").c_str(), "wb");
  gzwrite(file, idx.data(), static_cast<unsigned>(idx.size()));
  gzclose(file);
  write("idx/found/product-overflows", "\0\0\x08\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s);
  write("idx/found/product-overflows-beside-0",
        "\0\0\x08\x04\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"s);
  write("idx/found/promises-4-GB", "\0\0\x08\x01\xff\xff\xff\xff"s);
  write("gzip/images", "\0"s + idx);
  write("gzip/labels-cut", "\x05"s + labels);
}

std::string npy(const std::string& type, const std::string& fortran_order, const std::string& shape,
                const std::string& elements) {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }\n";
  return "\x93NUMPY\1\0"s + static_cast<char>(header.size()) + "\0"s + header + elements;
}

void tables() {
  datasets::write_npy(path("npy/table"), Tensor::from({1, 2, 3, 4, 5, 6}, {3, 2}));
  datasets::write_npy(path("npy/scalar"), Tensor::full({}, 2));
  for (const char* type : {"<f4", ">f8", "|b1", "<i2", "|u1", ">u8", "<f2"}) {
    write("npy/type-"s + (type + 1), npy(type, "True", "(1, 2)", std::string(2 * (type[2] - '0'), '\1')));
  }
  write("npy/found/fortran-overflows", npy("<f4", "True", "(0, 4611686018427387904, 2)", ""));
  write("npy/found/empty-but-wide", npy("<f4", "False", "(0, 9223372036854775807, 9223372036854775807)", ""));

  write("csv/header", "x,y\n1,2.5\n-3e-4,+4\n");
  write("csv/semicolons", "\xef\xbb\xbf# table\r\n1;2\r\n\r\n3;4\r\n");
  write("csv/blanks", "  1   2 \n3 4\n");
  write("csv/quoted", "\"a b\",\"c\"\n\"1\",\"2\"\n");
  write("csv/pandas", "\tx\ty\n0\t1.5\t2\n1\t3\t4\n");
  write("csv/values", datasets::to_csv(Tensor::from({1.5, -0.0, 1e-38, 3e38}, {2, 2}), {"a", "b"}));
}

void settings() {
  write("toml/values", "a = 1\nb-c = [\"x\\n\\u00e9\", 'y']  # comment\n\nd = [\n  1.5,\n  true,\n]\ne = \"\"\n");
  write("options/values",
        "name = \"x\"\nflag = true\nwhole = -3\nseed = 18446744073709551615\nnumber = 1e-3\nwords = [\"a\", 'b']\n"
        "sizes = [1, 2]\n");
  write("options/found/empty-item", "words = \"a,,b\"\n");
  write("toml/found/long-key", repeated("k", 3000) + " 8");
  write("toml/found/open-brackets", "a = " + repeated("[", 100000));
}

void weights() {
  nn::save_safetensors(
      path("safetensors/small"),
      {.tensors = {{"a", Tensor::from({1, 2}, {2})}, {"b", Tensor::full({}, 3)}}, .metadata = {{"key", "text"}}});
  const std::string half =
      R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,1],"data_offsets":[4,6]}})";
  write("safetensors/halves", static_cast<char>(half.size()) + "\0\0\0\0\0\0\0"s + half + "abcdef");
  const auto of_header = [](const std::string& header) {
    const std::uint64_t size = header.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + header;
  };
  write("safetensors/found/nested", of_header(R"({"a":)" + repeated("[", 100000)));
  write("safetensors/found/nested-shape", of_header(R"({"a":{"dtype":"F32","data_offsets":[0,0],"shape":[)" +
                                                    repeated("[", 100000) + repeated("]", 100000) + "]}}"));
  write("safetensors/found/overflows",
        of_header(R"({"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}})"));

  const nn::TimeNetworkDescription networks[] = {
      {.hidden = {2}},
      {.kind = "mlp",
       .hidden = {1, 1},
       .activation = "relu",
       .time_embedding = "fourier",
       .time_frequencies = 1,
       .classes = 2},
      {.kind = "residual-mlp", .hidden = {1}},
      {.kind = "unet",
       .dimension = 4,
       .time_frequencies = 1,
       .image = {.height = 2, .width = 2},
       .unet = {.base_channels = 1, .multipliers = {1}, .norm_groups = 1}},
      {.kind = "dit",
       .dimension = 4,
       .time_frequencies = 1,
       .image = {.height = 2, .width = 2},
       .dit = {.patch = 2, .width = 4, .blocks = 1, .heads = 1, .mlp_ratio = 1}},
  };
  int number = 0;
  for (const nn::TimeNetworkDescription& description : networks) {
    const std::string name = "/" + description.kind + std::to_string(++number);
    const std::string json = nn::to_json(description);
    write("model_description" + name, json);
    Generator rng(0);
    const auto model = nn::make_time_network(description, rng);
    // Two of them: save_network() may add what is checked, and any change then ends the reading early.
    nn::save_network(path("model_file" + name), description, *model);
    write("model_file" + name + "-plain",
          fuzz::safetensors_text({{"model", json}}, nn::add_prefix("model.", model->named_parameters())));
  }
  const auto with = [](nn::TimeNetworkDescription description, const auto& change) {
    change(description);
    return nn::to_json(description);
  };
  const auto wide = with({}, [](auto& d) { d.hidden = {20000, 20000}; });
  const auto many = with(networks[3], [](auto& d) { d.unet.blocks = 1'000'000'000'000; });
  const auto long_list = with({}, [](auto& d) { d.hidden.assign(200'000, 1); });
  const auto wraps = with({}, [](auto& d) { d.hidden = {1537228672809129302}; });
  const auto nested = R"({"kind":)" + repeated("[", 100'000) + repeated("]", 100'000) + "}";
  for (const auto& [name, json] : {std::pair{"wide", wide},
                                   {"many-blocks", many},
                                   {"long-list", long_list},
                                   {"wraps", wraps},
                                   {"nested", nested},
                                   {"goes-on-after-a-zero-byte", nn::to_json(networks[0]) + "\0\x80"s}}) {
    write("model_description/found/"s + name, json);
    write("model_file/found/"s + name, fuzz::safetensors_text({{"model", json}}, {}));
  }
}

void descriptions() {
  datasets::DataDescription density{.source = "annulus", .parameters = {{"inner", 1.5}}};
  datasets::DataDescription table{.kind = "table", .source = "points.csv"};
  table.standardization = datasets::Standardization::of({.rows = 2, .columns = 2, .values = {1, 2, 3, 5}, .names = {}});
  datasets::DataDescription images{.kind = "images", .source = "/data", .height = 28, .width = 28, .classes = 10};
  write("data_description/density", datasets::to_json(density));
  write("data_description/table", datasets::to_json(table));
  write("data_description/images", datasets::to_json(images));
  write("data_description/found/nested",
        R"({"kind":"density","source":)" + repeated("[", 100'000) + repeated("]", 100'000) + "}");

  Generator rng(0);
  flow::FlowMatchingDescription description{.network = {.hidden = {1}}};
  const auto entry = [&] { return flow::FlowMatching(description, rng).metadata().at("flow"); };
  write("flow_description/plain", entry());
  description.path = {.name = "i-cfm", .sigma = 0.1};
  description.coupling.name = "ot";
  description.source = density;
  write("flow_description/source", entry());
  flow::save_model(path("model_file/flow"), flow::FlowMatching(description, rng), density);
  description = {.network = {.hidden = {1}}, .path = {.name = "schroedinger-bridge", .sigma = 1}, .score = true};
  write("flow_description/score", entry());
  flow::save_model(path("model_file/score"), flow::FlowMatching(description, rng), density);
  write("flow_description/found/nested", R"({"path":)" + repeated("[", 100'000) + repeated("]", 100'000) + "}");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: seeds FOLDER\n";
    return 2;
  }
  root = argv[1];
  images();
  tables();
  settings();
  weights();
  descriptions();
}
