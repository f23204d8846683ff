// Folders of images so small and so different that any network learns to distinguish them at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "tests/tools/process.hpp"

namespace rill::testing_support {

/// The bytes of an IDX file of unsigned bytes; sizes below 65536.
inline std::string idx(const std::vector<unsigned>& sizes, const std::string& bytes) {
  std::string file{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (const unsigned size : sizes) file += {'\0', '\0', static_cast<char>(size >> 8), static_cast<char>(size)};
  return file + bytes;
}

/// Fills a folder with 60 training and 30 test images of `side` x `side` pixels in three classes, in turn: bright on
/// the left, at the top, or everywhere, the rest dark, all with some noise.
inline void write_tiny_images(const std::string& folder, unsigned side = 8) {
  std::filesystem::create_directories(folder);
  Generator rng(1);
  for (const auto& [half, count] : {std::pair("train", 60u), std::pair("t10k", 30u)}) {
    std::string pixels, labels;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned label = i % 3;
      labels += static_cast<char>(label);
      const std::vector<Index> noise = rng.integers(side * side, 40);
      for (unsigned p = 0; p < side * side; ++p) {
        const bool bright = label == 2 || (label == 0 ? p % side < side / 2 : p / side < side / 2);
        pixels += static_cast<char>((bright ? 200 : 10) + noise[p]);
      }
    }
    const std::string name = folder + "/" + half;
    write_contents(name + "-images-idx3-ubyte", idx({count, side, side}, pixels));
    write_contents(name + "-labels-idx1-ubyte", idx({count}, labels));
  }
}

/// The command that trains on such images, with `folder` for its run and these words added.
inline std::vector<std::string> tiny_image_training(const std::string& images, const std::string& folder,
                                                    const std::vector<std::string>& more) {
  std::vector<std::string> command = {
      "train", "--data",    "images", "--data-dir",  images, "--classes", "3",   "--batch",         "16",  "--out",
      folder,  "--threads", "1",      "--log-every", "5",    "--ema",     "0.9", "--learning-rate", "0.01"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

/// A classifier of such images.
inline std::vector<std::string> tiny_classifier(const std::string& images, const std::string& folder,
                                                const std::vector<std::string>& more = {}) {
  std::vector<std::string> command =
      tiny_image_training(images, folder,
                          {"--model", "classifier", "--channels", "4,8", "--norm-groups", "2", "--features", "8",
                           "--activation", "silu", "--dropout", "0.1", "--steps", "60"});
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

/// A flow of such images, good enough for a classifier.
inline std::vector<std::string> tiny_image_flow(const std::string& images, const std::string& folder,
                                                const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = tiny_image_training(
      images, folder, {"--model", "residual-mlp", "--hidden", "96", "--label-dropout", "0.1", "--steps", "400"});
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace rill::testing_support
