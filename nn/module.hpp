// Modules: trees of named parameters.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/named_tensor.hpp"

namespace rill::nn {

/// A tree of parameters. A constructor registers its parameters and submodules; the names and their order never change
/// afterward. A parameter is a leaf of the graph: all copies of its tensor share one buffer and one gradient.
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// The parameters in order of registration, a module's own before those of its submodules. A parameter of the
  /// submodule "layers" is named "layers.weight" here. A shared one, as of a layer used twice, is listed once, under
  /// its first name. Throws std::invalid_argument as distinct() does (nn/named_tensor.hpp).
  NamedTensors named_parameters() const;
  /// The same without names.
  std::vector<Tensor> parameters() const;
  /// The number of trainable numbers.
  Index parameter_count() const;
  /// Drops the gradients of all parameters.
  void clear_grad();

 protected:
  /// Makes `value` a parameter. Throws std::invalid_argument for a name that is empty, in use or contains a dot.
  Tensor register_parameter(const std::string& name, Tensor value);
  /// Adds the parameters of `module` to this one's. Throws as register_parameter does.
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

/// A module that maps one tensor to one tensor, so that Sequential can chain it.
class Layer : public Module {
 public:
  virtual Tensor forward(const Tensor& x) const = 0;
  /// f(forward(x)); layers that can fuse the two override it.
  virtual Tensor forward(const Tensor& x, const rill::Activation& f) const { return f.apply(forward(x)); }
};

}  // namespace rill::nn
