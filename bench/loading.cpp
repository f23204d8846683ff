// Images from IDX files, raw and compressed, and batches of numbers from images.
//   bench/bench_loading
#include <benchmark/benchmark.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/random.hpp"
#include "bench/counters.hpp"
#include "datasets/idx.hpp"
#include "datasets/images.hpp"

namespace rill::bench {
namespace {

constexpr Index kCount = 10'000, kSide = 28, kBytes = kCount * kSide * kSide;

// Half of the pixels are 0, the others anything: that compresses about as well as Fashion-MNIST.
std::vector<std::uint8_t> make_pixels() {
  std::vector<std::uint8_t> pixels;
  Generator rng(0);
  for (const Index number : rng.integers(kBytes, 512)) {
    pixels.push_back(static_cast<std::uint8_t>(number < 256 ? 0 : number - 256));
  }
  return pixels;
}

// An IDX file in a folder of its own, removed with it.
class File {
 public:
  explicit File(bool compressed) {
    std::string folder = std::filesystem::temp_directory_path() / "rill-bench-XXXXXX";
    if (!mkdtemp(folder.data())) throw std::runtime_error("bench_loading: cannot make a temporary folder");
    folder_ = folder;
    path_ = folder + (compressed ? "/images.gz" : "/images");
    const std::vector<std::uint8_t> pixels = make_pixels();
    const unsigned char header[] = {0, 0, 8, 3, 0, 0, kCount >> 8, kCount & 255, 0, 0, 0, kSide, 0, 0, 0, kSide};
    const gzFile file = gzopen(path_.c_str(), compressed ? "wb" : "wbT");
    const bool written =
        gzwrite(file, header, sizeof header) == sizeof header && gzwrite(file, pixels.data(), kBytes) == kBytes;
    if (gzclose(file) != Z_OK || !written) throw std::runtime_error("bench_loading: cannot write " + path_);
  }
  ~File() { std::filesystem::remove_all(folder_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
};

void read_idx(benchmark::State& state, bool compressed) {
  const File file(compressed);
  for (auto _ : state) benchmark::DoNotOptimize(datasets::read_idx(file.path()).bytes.data());
  count_bytes(state, 2 * kBytes, 2 * kBytes);
}

void pixels(benchmark::State& state, Index batch) {
  const datasets::Images images({kCount, kSide, kSide}, make_pixels(), std::vector<std::uint8_t>(kCount));
  Generator rng(0);
  for (auto _ : state) benchmark::DoNotOptimize(images.pixels(rng.integers(batch, kCount)));
  const Index bytes = batch * kSide * kSide * static_cast<Index>(1 + sizeof(Real));
  count_bytes(state, bytes, bytes);
}

const bool kRegistered = [] {
  register_work("read_idx/raw", [](benchmark::State& state) { read_idx(state, false); });
  register_work("read_idx/gzip", [](benchmark::State& state) { read_idx(state, true); });
  register_work("pixels/256", [](benchmark::State& state) { pixels(state, 256); });
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
