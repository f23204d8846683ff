// Functions that return views cannot be called on a temporary, whose memory is freed at the end of the expression.
#include <gtest/gtest.h>

#include <concepts>
#include <utility>

#include "autodiff/ops.hpp"
#include "autodiff/tensor.hpp"

namespace rill {
namespace {

template <class T>
concept LendsItsNumbers = requires(T&& x) {
  std::forward<T>(x).data();
}
|| requires(T&& x) { std::forward<T>(x).values(); };
template <class T>
concept LendsItsGraph = requires(T&& x) {
  std::forward<T>(x).grad();
}
|| requires(T&& x) { std::forward<T>(x).node(); }
|| requires(T&& x) { std::forward<T>(x).storage(); };
template <class T>
concept LendsItsElements = requires(T&& x) {
  std::forward<T>(x).begin();
}
|| requires(T&& x) { std::forward<T>(x).end(); };

static_assert(LendsItsNumbers<Tensor&> && LendsItsNumbers<const Tensor&>);
static_assert(!LendsItsNumbers<Tensor> && !LendsItsNumbers<const Tensor>);
static_assert(LendsItsGraph<Tensor&> && LendsItsGraph<const Tensor&>);
static_assert(!LendsItsGraph<Tensor> && !LendsItsGraph<const Tensor>);
static_assert(LendsItsNumbers<Storage&> && !LendsItsNumbers<Storage>);
static_assert(LendsItsElements<Shape&> && LendsItsElements<const Shape&>);
static_assert(!LendsItsElements<Shape> && !LendsItsElements<const Shape>);
static_assert(LendsItsElements<Indices&> && LendsItsElements<const Indices&>);
static_assert(!LendsItsElements<Indices> && !LendsItsElements<const Indices>);

// These are given away instead: a copy of a temporary's own is as cheap as a loan.
static_assert(std::same_as<decltype(std::declval<Tensor>().shape()), Shape>);
static_assert(std::same_as<decltype(std::declval<Shape>()[0]), Index>);
static_assert(std::same_as<decltype(std::declval<Tensor>().set_requires_grad()), Tensor>);

TEST(Lending, ATemporaryGivesWhatIsItsOwn) {
  const Tensor x = Tensor::ones({2, 3});
  Index product = 1;
  for (const Index size : (2 * x).shape()) product *= size;
  EXPECT_EQ(product, 6);
  const Tensor& leaf = (2 * x).set_requires_grad();
  EXPECT_TRUE(leaf.requires_grad());
  EXPECT_EQ(leaf.to_vector(), std::vector<Real>(6, 2));
}

}  // namespace
}  // namespace rill
