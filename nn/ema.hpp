// The exponential moving average of the parameters: less noisy than the parameters, hence better to sample with.
#pragma once

#include <string>

#include "nn/named_tensor.hpp"

namespace rill::nn {

/// After update number n = 0, 1, 2, ... (Polyak and Juditsky 1992):
///   average = d average + (1 - d) parameter,    d = min(decay, (1 + n) / (10 + n))
/// The second term lets the average forget the initial weights: early on it spans some tenth of the steps so far.
class Ema {
 public:
  /// Starts at the parameters' values. Throws std::invalid_argument unless 0 <= decay < 1.
  Ema(NamedTensors parameters, double decay);

  /// Counts an update, and returns its 1 - d. Optimizer::step() does the rest.
  Real begin_update();

  Index update_count() const { return update_count_; }
  /// The averages under the parameters' names, in their order; the tensors share this object's memory.
  const NamedTensors& averages() const& { return averages_; }
  const NamedTensors& averages() const&& = delete;
  Tensor& average(std::size_t i) & { return averages_[i].tensor; }
  /// Continues from saved averages. Throws FileError, which names `file`, when names or shapes do not fit.
  void load_state(const NamedTensors& averages, Index update_count, const std::string& file);

 private:
  friend class EmaScope;
  void swap();

  NamedTensors parameters_, averages_;
  double decay_;
  Index update_count_ = 0;
};

/// Within its scope the parameters hold the averages, for sampling and evaluation; the averages hold the parameters.
class EmaScope {
 public:
  explicit EmaScope(Ema& ema) : ema_(ema) { ema_.swap(); }
  ~EmaScope() { ema_.swap(); }
  EmaScope(const EmaScope&) = delete;
  EmaScope& operator=(const EmaScope&) = delete;

 private:
  Ema& ema_;
};

}  // namespace rill::nn
