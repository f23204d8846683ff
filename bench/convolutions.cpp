// Convolutions compared with oneDNN's, alternating in one process, one thread: the share of the multiply-add peak that
// each reaches, and ours over the better of theirs. Ours are the ops on [N, H, W, C], padding and allocation included;
// oneDNN's get the same layout, and also blocked images and weights of its own choosing, whose conversion is not
// counted.
//   bench/bench_convolutions            the shapes of the networks for images
//   bench/bench_convolutions 14x14x64   one shape: height x width x channels, 3 x 3 taps
// For AVX2 on both sides: RILL_ISA=avx2 DNNL_MAX_CPU_ISA=AVX2.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef RILL_BENCH_DNNL
#include <dnnl.hpp>
#endif

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/parallel.hpp"
#include "autodiff/random.hpp"
#include "autodiff/simd/kernels.hpp"
#include "bench/probe.hpp"

namespace rill::bench {
namespace {

using Clock = std::chrono::steady_clock;

// 3 x 3 taps, as many outputs as channels, padding that keeps the size at stride 1.
struct Case {
  Index images, height, width, channels, stride;
  Index rows() const { return (height - 1) / stride + 1; }
  Index columns() const { return (width - 1) / stride + 1; }
  double flops() const { return 18. * static_cast<double>(images * rows() * columns() * channels * channels); }
};

enum Direction { kForward, kDataGradient, kWeightGradient };
constexpr const char* kNames[] = {"forward", "data gradient", "weight gradient"};

using Work = std::function<void()>;
struct Contender {
  const char* name;
  Work (*prepare)(const Case&, Direction);
};

Work ours(const Case& c, Direction direction) {
  Generator rng(1);
  Tensor x = Tensor::randn({c.images, c.height, c.width, c.channels}, rng);
  Tensor w = Tensor::randn({3, 3, c.channels, c.channels}, rng);
  const Conv2dOptions options = {.stride = c.stride, .padding = 1};
  if (direction == kForward) {
    return [=] {
      const NoGrad no_grad;
      conv2d(x, w, {}, options);
    };
  }
  const Tensor input = (direction == kDataGradient ? x : w).set_requires_grad();
  const Tensor y = conv2d(x, w, {}, options), gy = Tensor::randn(y.shape(), rng);
  return [=] { grad({y}, {input}, {.retain_graph = true}, {gy}); };
}

#if defined(RILL_BENCH_DNNL) && DNNL_VERSION_MAJOR == 2
template <dnnl::memory::format_tag images, dnnl::memory::format_tag weights>
Work onednn(const Case& c, Direction direction) {
  using dnnl::memory;
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const auto type = memory::data_type::f32;
  const memory::desc x({c.images, c.channels, c.height, c.width}, type, images);
  const memory::desc w({c.channels, c.channels, 3, 3}, type, weights);
  const memory::desc y({c.images, c.channels, c.rows(), c.columns()}, type, images);
  const memory::dims strides = {c.stride, c.stride}, before = {1, 1};
  const memory::dims after = {(c.rows() - 1) * c.stride + 2 - c.height, (c.columns() - 1) * c.stride + 2 - c.width};
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, algorithm, x, w, y, strides, before, after}, engine);
  const auto filled = [](const memory::desc& description) {
    memory numbers(description, engine);
    simd::kernels().random_normal({1, 0, 0}, static_cast<Index>(description.get_size() / sizeof(Real)),
                                  static_cast<Real*>(numbers.get_data_handle()));
    return numbers;
  };
  const auto work = [](const dnnl::primitive& primitive, std::unordered_map<int, memory> arguments) {
    return [=, stream = dnnl::stream(engine)]() mutable { primitive.execute(stream, arguments); };
  };
  if (direction == kForward) {
    return work(dnnl::convolution_forward(forward), {{DNNL_ARG_SRC, filled(forward.src_desc())},
                                                     {DNNL_ARG_WEIGHTS, filled(forward.weights_desc())},
                                                     {DNNL_ARG_DST, filled(forward.dst_desc())}});
  }
  if (direction == kDataGradient) {
    const dnnl::convolution_backward_data::primitive_desc backward({algorithm, x, w, y, strides, before, after}, engine,
                                                                   forward);
    return work(dnnl::convolution_backward_data(backward), {{DNNL_ARG_DIFF_SRC, filled(backward.diff_src_desc())},
                                                            {DNNL_ARG_WEIGHTS, filled(backward.weights_desc())},
                                                            {DNNL_ARG_DIFF_DST, filled(backward.diff_dst_desc())}});
  }
  const dnnl::convolution_backward_weights::primitive_desc backward({algorithm, x, w, y, strides, before, after},
                                                                    engine, forward);
  return work(dnnl::convolution_backward_weights(backward),
              {{DNNL_ARG_SRC, filled(backward.src_desc())},
               {DNNL_ARG_DIFF_WEIGHTS, filled(backward.diff_weights_desc())},
               {DNNL_ARG_DIFF_DST, filled(backward.diff_dst_desc())}});
}
#endif

const std::vector<Contender>& contenders() {
  static const std::vector<Contender> all = {
    {"rill", ours},
#if defined(RILL_BENCH_DNNL) && DNNL_VERSION_MAJOR == 2
    {"oneDNN", onednn<dnnl::memory::format_tag::nhwc, dnnl::memory::format_tag::any>},
    {"oneDNN, blocked", onednn<dnnl::memory::format_tag::any, dnnl::memory::format_tag::any>},
#endif
  };
  return all;
}

// They take turns, some milliseconds each; the best turn counts, as whatever disturbs one makes it longer.
void row(const Case& c, Direction direction) {
  std::vector<Work> works;
  for (const Contender& contender : contenders()) works.push_back(contender.prepare(c, direction));
  std::vector<double> best(works.size());
  const int calls = std::max(1, static_cast<int>(4e8 / c.flops()));
  for (int turn = -1; turn < 15; ++turn) {
    for (std::size_t i = 0; i < works.size(); ++i) {
      const auto start = Clock::now();
      for (int call = 0; call < calls; ++call) works[i]();
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (turn >= 0) best[i] = std::max(best[i], c.flops() * calls / seconds);
    }
  }
  std::printf("| %lld x %lld x %lld%s | %s |", static_cast<long long>(c.height), static_cast<long long>(c.width),
              static_cast<long long>(c.channels), c.stride > 1 ? ", stride 2" : "", kNames[direction]);
  for (const double rate : best) std::printf(" %.1f |", 100 * rate / peak_flops(simd::kernels().name));
  if (best.size() > 1) std::printf(" %.2f |", best[0] / *std::max_element(best.begin() + 1, best.end()));
  std::printf("\n");
  std::fflush(stdout);
}

void table(const std::vector<Case>& cases) {
  std::printf("| image, channels in and out | |");
  for (const Contender& contender : contenders()) std::printf(" %s, %% of peak |", contender.name);
  const bool has_peers = contenders().size() > 1;  // else this build has no oneDNN
  std::printf("%s\n| --- | --- |", has_peers ? " rill / better peer |" : "");
  for (std::size_t i = 0; i < contenders().size() + has_peers; ++i) std::printf(" --- |");
  std::printf("\n");
  for (const Case& c : cases) {
    for (const Direction direction : {kForward, kDataGradient, kWeightGradient}) row(c, direction);
  }
}

}  // namespace
}  // namespace rill::bench

int main(int argc, char** argv) {
  using namespace rill::bench;
#ifdef _OPENMP
  omp_set_num_threads(1);  // oneDNN's
#endif
  rill::set_thread_count(1);
  std::printf("%s, peak %.1f GFLOP/s\n\n", rill::simd::kernels().name, peak_flops(rill::simd::kernels().name) * 1e-9);
  constexpr rill::Index kImages = 128;
  long long height = 0, width = 0, channels = 0;
  if (argc < 2) {
    table({{kImages, 28, 28, 32, 1},
           {kImages, 14, 14, 64, 1},
           {kImages, 7, 7, 64, 1},
           {kImages, 7, 7, 128, 1},
           {kImages, 28, 28, 32, 2},
           {kImages, 14, 14, 64, 2}});
  } else if (std::sscanf(argv[1], "%lldx%lldx%lld", &height, &width, &channels) == 3) {
    table({{kImages, height, width, channels, 1}});
  } else {
    std::fprintf(stderr, "bench_convolutions: '%s' is not height x width x channels, such as 14x14x64\n", argv[1]);
    return 2;
  }
}
