// Modules: what has parameters, and names for them.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/named_tensor.hpp"

namespace rill::nn {

/// A tree of parameters. A constructor registers them once, and the modules it is built from; the names and their
/// order never change afterwards. A parameter is a leaf of the graph: its handles share one buffer and one gradient.
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// The parameters in order of registration, a module's own before those of the modules in it. A parameter of the
  /// submodule "layers" is named "layers.weight" here. One that is shared, as by a layer used twice, stands there once,
  /// under its first name. Throws std::invalid_argument as distinct() does (nn/named_tensor.hpp).
  NamedTensors named_parameters() const;
  /// The same without names.
  std::vector<Tensor> parameters() const;
  /// How many numbers there are to train.
  Index parameter_count() const;
  /// Drops the gradients of all parameters.
  void clear_grad();

 protected:
  /// Makes `value` a parameter. Throws std::invalid_argument for a name that is empty, in use or contains a dot.
  Tensor register_parameter(const std::string& name, Tensor value);
  /// Makes the parameters of `module` parts of this one's. Throws as register_parameter does.
  template <class M>
  std::shared_ptr<M> register_module(const std::string& name, std::shared_ptr<M> module) {
    add_module(name, module);
    return module;
  }

 private:
  void add_module(const std::string& name, std::shared_ptr<Module> module);
  void take_name(const std::string& name);
  void collect(const std::string& prefix, NamedTensors& all) const;

  NamedTensors parameters_;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> modules_;
  std::set<std::string> names_;  // of both
};

/// A module from one tensor to one tensor, which Sequential can chain.
class Layer : public Module {
 public:
  virtual Tensor forward(const Tensor& x) const = 0;
  /// f(forward(x)), for layers that do it better in one go.
  virtual Tensor forward(const Tensor& x, const rill::Activation& f) const { return f.apply(forward(x)); }
};

}  // namespace rill::nn
