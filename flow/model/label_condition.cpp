#include "flow/model/label_condition.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {

Tensor one_hot(const Indices& labels, Index classes, const char* what) {
  if (classes == 0) return {};
  Tensor result = Tensor::zeros({labels.size(), classes});
  for (Index n = 0; n < labels.size(); ++n) {
    require(0 <= labels[n] && labels[n] < classes, what, ": label ", labels[n], ", expected 0 to ", classes - 1);
    result.data()[n * classes + labels[n]] = 1;
  }
  return result;
}

Indices labels_or_uniform(const Indices& labels, Index n, Index classes, Generator& rng, const char* what) {
  require(labels.size() == 0 || labels.size() == n, what, ": ", labels.size(), " labels for ", n, " samples");
  return classes > 0 && labels.size() == 0 ? Indices(rng.integers(n, classes)) : labels;
}

Tensor log_density_of_groups(
    const Tensor& x, const Indices& labels, Index classes, const char* what,
    const std::function<Tensor(const Tensor& x, const Tensor& condition, Index first_row)>& log_density) {
  require(x.rank() == 2 && (labels.size() == 0 || labels.size() == x.dim(0)), what,
          ": expected points [N, D] and N labels or none, got ", x.shape(), " and ", labels.size(), " labels");
  const bool mixture = classes > 0 && labels.size() == 0;
  Tensor log_p = Tensor::empty({x.dim(0)});
  for_row_groups(x.dim(0), rows_in_cache(x.dim(1)), [&](Index begin, Index end) {
    const Tensor rows = slice(x, 0, begin, end);
    Tensor part;
    if (!mixture) {
      part = log_density(rows, one_hot(labels_of_rows(labels, begin, end), classes, what), begin);
    } else {
      std::vector<Tensor> each;
      for (Index label = 0; label < classes; ++label) {
        const Indices all(std::vector<Index>(static_cast<std::size_t>(end - begin), label));
        each.push_back(reshape(log_density(rows, one_hot(all, classes, what), begin), {end - begin, 1}));
      }
      part = logsumexp(concatenate(each, 1)) - std::log(static_cast<double>(classes));
    }
    std::copy_n(part.data(), part.size(), log_p.data() + begin);
  });
  return log_p;
}

}  // namespace rill::flow
