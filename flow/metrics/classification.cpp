#include "flow/metrics/classification.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "flow/solver/row_groups.hpp"

namespace rill::flow {

Classified classify(const nn::ImageClassifier& classifier, const Tensor& x) {
  require(x.rank() == 2 && x.dim(0) > 0, "classify: expected images [N, D], N > 0, got ", x.shape());
  constexpr Index kGroup = 64;
  const Index images = x.dim(0), width = classifier.description().features, classes = classifier.description().classes;
  Classified result{Tensor::empty({images, width}), {}};
  std::vector<Index> labels(static_cast<std::size_t>(images));
  for_row_groups(images, kGroup, [&](Index begin, Index end) {
    const Tensor features = classifier.features(slice(x, 0, begin, end)), logits = classifier.logits(features);
    std::copy_n(features.data(), features.size(), result.features.data() + begin * width);
    for (Index n = begin; n < end; ++n) {
      const Real* row = logits.data() + (n - begin) * classes;
      labels[static_cast<std::size_t>(n)] = std::max_element(row, row + classes) - row;
    }
  });
  result.labels = Indices(std::move(labels));
  return result;
}

Estimate label_accuracy(const Indices& recognized, const Indices& labels) {
  require(recognized.size() == labels.size(), "label_accuracy: ", recognized.size(), " labels for ", labels.size(),
          " images");
  Tensor right = Tensor::zeros({labels.size()});
  for (Index n = 0; n < labels.size(); ++n) right.data()[n] = recognized[n] == labels[n] ? 1 : 0;
  return share_of(right);
}

}  // namespace rill::flow
