// Ops on images at the sizes of TorchCFM's MNIST network, as a training step and a sampler run them.
//   bench/bench_images --benchmark_filter=group_norm
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "bench/counters.hpp"

namespace rill::bench {
namespace {

const Activation& silu_activation() {
  for (const Activation& f : activations()) {
    if (f.name == std::string_view("silu")) return f;
  }
  fail("no silu");
}

std::string name_of(const std::string& op, const Shape& shape) {
  std::string name = op + '/' + std::to_string(shape[0]);
  for (int axis = 1; axis < shape.rank(); ++axis) name += 'x' + std::to_string(shape[axis]);
  return name;
}

// y = op(x), and if `backward` the gradients of x and of the parameters from that of y. Counted are the bytes that must
// move when a sample stays in cache: x is read and y written; then x and gy are read and gx is written.
template <class Op>
void run(benchmark::State& state, const Shape& shape, bool backward, const Op& op) {
  Generator rng(0);
  const Tensor x = Tensor::randn(shape, rng).set_requires_grad(backward);
  const Tensor scale = Tensor::ones({shape[3]}).set_requires_grad(backward),
               shift = Tensor::zeros({shape[3]}).set_requires_grad(backward);
  const Tensor y = op(x, scale, shift), gy = Tensor::randn(y.shape(), rng);
  for (auto _ : state) {
    if (backward) {
      benchmark::DoNotOptimize(grad({y}, {x, scale, shift}, {.retain_graph = true}, {gy}));
    } else {
      benchmark::DoNotOptimize(op(x, scale, shift));
    }
  }
  const Index bytes = (x.size() + y.size() + (backward ? x.size() : 0)) * static_cast<Index>(sizeof(Real));
  count_bytes(state, bytes, bytes);
}

const bool kRegistered = [] {
  const auto add = [](const char* op_name, const Shape& shape, const auto& op) {
    register_work(name_of(op_name, shape), [=](benchmark::State& state) { run(state, shape, false, op); });
    register_work(name_of(std::string(op_name) + "_backward", shape),
                  [=](benchmark::State& state) { run(state, shape, true, op); });
  };
  for (const Shape& shape :
       {Shape{128, 28, 28, 32}, Shape{128, 14, 14, 64}, Shape{128, 7, 7, 64}, Shape{128, 7, 7, 128}}) {
    add("group_norm_silu", shape, [](const Tensor& x, const Tensor& scale, const Tensor& shift) {
      return group_norm(x, 32, scale, shift, silu_activation());
    });
    add("layer_norm", shape,
        [](const Tensor& x, const Tensor& scale, const Tensor& shift) { return layer_norm(x, scale, shift); });
  }
  const Shape wide{128, 28, 28, 32}, narrow{128, 14, 14, 64};
  add("max_pool", wide, [](const Tensor& x, const Tensor&, const Tensor&) { return max_pool(x, {2}); });
  add("average_pool", wide, [](const Tensor& x, const Tensor&, const Tensor&) { return average_pool(x, {2}); });
  add("upsample_nearest", narrow, [](const Tensor& x, const Tensor&, const Tensor&) { return upsample_nearest(x, 2); });
  add("dropout", wide, [](const Tensor& x, const Tensor&, const Tensor&) {
    Generator rng(1);
    return dropout(x, 0.1, rng);
  });
  return true;
}();

}  // namespace
}  // namespace rill::bench

BENCHMARK_MAIN();
