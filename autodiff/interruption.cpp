#include "autodiff/interruption.hpp"

#include <utility>

namespace rill {

const std::function<void()>*& detail::interruption() noexcept {
  thread_local const std::function<void()>* check = nullptr;
  return check;
}

Interruptible::Interruptible(std::function<void()> check)
    : check_(std::move(check)), before_(std::exchange(detail::interruption(), &check_)) {}

Interruptible::~Interruptible() { detail::interruption() = before_; }

void check_interruption() {
  const std::function<void()>* check = detail::interruption();
  if (check != nullptr && *check) (*check)();
}

}  // namespace rill
