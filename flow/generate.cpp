#include "flow/generate.hpp"

#include <algorithm>
#include <exception>
#include <mutex>

#include "autodiff/error.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/parallel.hpp"
#include "flow/ode.hpp"

namespace rill::flow {

Velocity velocity_of(const nn::VelocityModel& model, const Indices& labels) {
  return [&model, labels](const Tensor& x, const Tensor& t) { return model.forward(x, t, labels); };
}

namespace {

// Points moved together, at most: enough rows to keep the matrix kernels busy and to spread the cost of recording ops,
// few enough that a layer's input and output (a thousand rows of 64 numbers each take 512 KB) stay in the second-level
// cache.
constexpr Index kGroup = 1000;

Indices part_of(const Indices& labels, Index begin, Index end) {
  if (labels.size() == 0) return labels;
  return Indices(std::vector<Index>(labels.begin() + begin, labels.begin() + end));
}

}  // namespace

Generated generate(const nn::VelocityModel& model, const Tensor& x_0, const Indices& labels,
                   const GenerateOptions& options) {
  require(x_0.rank() == 2, "generate: expected noise [N, D], got ", x_0.shape());
  require(labels.size() == 0 || labels.size() == x_0.dim(0), "generate: ", labels.size(), " labels for ", x_0.dim(0),
          " points");
  const std::vector<double> times = uniform_grid(0, 1, options.steps);
  const Index points = x_0.dim(0), dimension = x_0.dim(1);

  Generated result{
      .x = Tensor::empty(x_0.shape()), .evaluations = options.steps * options.method->stages, .trajectory = {}};
  if (options.keep_trajectory) {
    for (std::size_t i = 0; i < times.size(); ++i) result.trajectory.push_back(Tensor::empty(x_0.shape()));
  }
  std::mutex mutex;
  std::exception_ptr error;
  const Index groups = (points + kGroup - 1) / kGroup;
  parallel_for(points, groups > 0 ? (points + groups - 1) / groups : 1, [&](Index begin, Index end) {
    try {
      const NoGrad no_grad;
      const auto keep = [&](Tensor& all, const Tensor& part) {
        std::copy_n(part.data(), part.size(), all.data() + begin * dimension);
      };
      const Observer observer = [&](Index position, double, const Tensor& x) {
        if (options.keep_trajectory) keep(result.trajectory[static_cast<std::size_t>(position)], x);
      };
      const Tensor group = slice(x_0, 0, begin, end);
      const Velocity velocity = velocity_of(model, part_of(labels, begin, end));
      keep(result.x, solve(velocity, group, times, *options.method, observer).x);
    } catch (...) {  // must not leave a thread's loop
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
  return result;
}

}  // namespace rill::flow
