// The exponential moving average (EMA) of the parameters: less noisy than the parameters, so better for sampling.
#pragma once

#include <string>

#include "nn/named_tensor.hpp"

namespace rill::nn {

/// After update number n = 0, 1, 2, ... (Polyak and Juditsky 1992):
///   average = d average + (1 - d) parameter,    d = min(decay, (1 + n) / (10 + n))
/// The second term lets the average forget the initial weights: early on, d is small.
class Ema {
 public:
  /// Starts at the parameters' values. One that is listed twice counts once. Throws std::invalid_argument unless
  /// 0 <= decay < 1, and as distinct() does (nn/named_tensor.hpp).
  Ema(const NamedTensors& parameters, double decay);

  /// Throws std::invalid_argument, beginning with `what`, unless this is the average of these very parameters: the same
  /// buffers under the same names, in the same order.
  void require_of(const NamedTensors& parameters, const char* what) const;

  /// Counts an update and returns its 1 - d; Optimizer::step() does the averaging. Throws std::invalid_argument within
  /// an EmaScope.
  Real begin_update();

  Index update_count() const { return update_count_; }
  /// The averages under the parameters' names, in their order; the tensors share this object's memory. Throws
  /// std::invalid_argument within an EmaScope, where they hold the parameters.
  const NamedTensors& averages() const&;
  const NamedTensors& averages() const&& = delete;
  Tensor& average(std::size_t i) & { return averages_[i].tensor; }
  /// Continues from saved averages. Throws FileError, which names `file`, if names or shapes differ, and
  /// std::invalid_argument within an EmaScope.
  void load_state(const NamedTensors& averages, Index update_count, const std::string& file);

 private:
  friend class EmaScope;
  void swap();
  void require_at_home(const char* what) const;

  NamedTensors parameters_, averages_;
  double decay_;
  Index update_count_ = 0;
  bool lent_ = false;  // an EmaScope has swapped the numbers
};

/// While it lives, the parameters hold the averages, for sampling and evaluation. They must not be trained or saved
/// meanwhile. Throws std::invalid_argument within another scope of the same average, since a second swap would undo the
/// first.
class EmaScope {
 public:
  explicit EmaScope(Ema& ema);
  ~EmaScope() { ema_.swap(); }
  EmaScope(const EmaScope&) = delete;
  EmaScope& operator=(const EmaScope&) = delete;

 private:
  Ema& ema_;
};

}  // namespace rill::nn
