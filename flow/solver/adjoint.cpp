#include "flow/solver/adjoint.hpp"

#include <memory>
#include <set>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace rill::flow {

namespace {

// The gradients with respect to x and every parameter, computed together and requested one by one.
class Adjoint {
 public:
  Adjoint(Velocity velocity, std::vector<Tensor> parameters, Tensor end_points, double start, double end,
          const AdaptiveOptions& options)
      : velocity_(std::move(velocity)),
        parameters_(std::move(parameters)),
        end_points_(std::move(end_points)),
        times_{end, start},
        options_(options) {
    options_.per_sample = false;
    options_.tolerance.controlled = 2 * end_points_.size();
  }

  const Tensor& gradient(const Tensor& gy, std::size_t input) {
    require(!grad_enabled(), "solve_adjoint: its gradient cannot be differentiated again; use solve_adaptive");
    if (solved_for_ != gy.storage()) {
      gradients_ = solve(gy);
      solved_for_ = gy.storage();
    }
    return gradients_[input];
  }

 private:
  // dx/dt, da/dt and dg/dt, concatenated in a single row.
  Tensor slope(const Tensor& state, const Tensor& t) const {
    const GradMode record_graph(true);
    const Index size = end_points_.size();
    const Tensor x = reshape(slice(state, 1, 0, size), end_points_.shape()).detach().set_requires_grad();
    const Tensor a = reshape(slice(state, 1, size, 2 * size), end_points_.shape());
    const Tensor u = velocity_(x, Tensor::full({x.dim(0)}, static_cast<double>(t.item())));

    std::vector<Tensor> inputs = {x};
    inputs.insert(inputs.end(), parameters_.begin(), parameters_.end());
    std::vector<Tensor> parts = {reshape(u.detach(), {1, size})};
    if (u.requires_grad()) {
      // Retained, because the graph that computes a parameter must not be freed here.
      for (const Tensor& g : grad({u}, inputs, {.retain_graph = true}, {a})) parts.push_back(reshape(-g, {1, -1}));
    } else {
      for (const Tensor& input : inputs) parts.push_back(Tensor::zeros({1, input.size()}));
    }
    return concatenate(parts, 1);
  }

  std::vector<Tensor> solve(const Tensor& gy) const {
    Index parameter_count = 0;
    for (const Tensor& parameter : parameters_) parameter_count += parameter.size();
    const Tensor state =
        concatenate({reshape(end_points_, {1, -1}), reshape(gy, {1, -1}), Tensor::zeros({1, parameter_count})}, 1);
    const Velocity field = [this](const Tensor& at, const Tensor& t) { return slope(at, t); };
    const Tensor solved = solve_adaptive(field, state, times_, options_).x;

    Index begin = end_points_.size();
    std::vector<Tensor> result;
    const auto take = [&](const Shape& shape) {
      const Index end = begin + shape.size();
      result.push_back(reshape(slice(solved, 1, begin, end), shape));
      begin = end;
    };
    take(end_points_.shape());
    for (const Tensor& parameter : parameters_) take(parameter.shape());
    return result;
  }

  Velocity velocity_;
  std::vector<Tensor> parameters_;
  Tensor end_points_;
  std::vector<double> times_;
  AdaptiveOptions options_;
  std::shared_ptr<Storage> solved_for_;  // the incoming gradient for which gradients_ were computed
  std::vector<Tensor> gradients_;
};

}  // namespace

Tensor solve_adjoint(const Velocity& velocity, const std::vector<Tensor>& parameters, const Tensor& x, double start,
                     double end, const AdaptiveOptions& options) {
  require(!options.event, "solve_adjoint: the time of an event depends on x and the parameters; use solve_adaptive");
  std::vector<Tensor> each_once;  // a parameter that is listed twice has a single gradient
  std::set<const Node*> listed;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    require(parameters[i].requires_grad(), "solve_adjoint: parameter ", i, " of shape ", parameters[i].shape(),
            " does not require a gradient");
    if (listed.insert(parameters[i].node().get()).second) each_once.push_back(parameters[i]);
  }
  Tensor y;
  {
    const NoGrad no_grad;
    y = solve_adaptive(velocity, x, {start, end}, options).x;
  }
  std::vector<Tensor> inputs = {x};
  inputs.insert(inputs.end(), each_once.begin(), each_once.end());
  const auto adjoint = std::make_shared<Adjoint>(velocity, each_once, y, start, end, options);
  return record_each("solve_adjoint", y, inputs,
                     [adjoint](const Tensor& gy, std::size_t input) { return adjoint->gradient(gy, input); });
}

}  // namespace rill::flow
