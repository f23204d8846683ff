#include "datasets/images.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/parallel.hpp"
#include "datasets/idx.hpp"

namespace rill::datasets {
namespace {

constexpr const char* kAdvice =
    "name a folder of MNIST-like files with --data-dir. tools/fetch-mnist.sh fetches and verifies MNIST from "
    "https://storage.googleapis.com/cvdf-datasets/mnist; tools/fetch-mnist.sh --fashion Fashion-MNIST, which is also "
    "Debian's package dataset-fashion-mnist: /usr/share/datasets/fashion-mnist";

/// The SHA-256 of the published .gz files.
struct Published {
  const char *name, *mnist, *fashion;
};
constexpr Published kPublished[] = {
    {"train-images-idx3-ubyte", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
     "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
    {"train-labels-idx1-ubyte", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
     "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
    {"t10k-images-idx3-ubyte", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
     "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
    {"t10k-labels-idx1-ubyte", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
     "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}};

/// folder/name or folder/name.gz, whichever exists; also with a dot in the name, train-images.idx3-ubyte, as in many
/// copies.
std::string find(const std::string& folder, const std::string& name) {
  require_file(std::filesystem::is_directory(folder), folder, "there is no such folder; ", kAdvice);
  const std::string path = (std::filesystem::path(folder) / name).string();
  std::string dotted = path;
  dotted[dotted.rfind("-idx")] = '.';
  for (const std::string& candidate : {path, path + ".gz", dotted, dotted + ".gz"}) {
    if (std::filesystem::exists(candidate)) return candidate;
  }
  const Published* file = std::find_if(std::begin(kPublished), std::end(kPublished),
                                       [&](const Published& known) { return known.name == name; });
  throw FileError(path, "there is neither this file nor ", name, ".gz; ", kAdvice, ". The SHA-256 of ", name, ".gz is ",
                  file->mnist, " of MNIST, ", file->fashion, " of Fashion-MNIST");
}

}  // namespace

Images::Images(const Shape& shape, std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels, Index classes)
    : shape_(shape), pixels_(std::move(pixels)), labels_(std::move(labels)), classes_(classes) {
  require(shape.rank() == 3 && shape.size() == static_cast<Index>(pixels_.size()), "images: ", pixels_.size(),
          " pixels for a shape of ", shape, ", expected [count, height, width]");
  require(shape[0] == static_cast<Index>(labels_.size()), "images: ", shape[0], " images and ", labels_.size(),
          " labels");
  for (const std::uint8_t label : labels_) {
    require(label < classes, "images: label ", int{label}, ", expected 0 to ", classes - 1);
  }
}

void Images::require_items(const Indices& items) const {
  for (const Index item : items) require(0 <= item && item < size(), "images: image ", item, " of ", size());
}

Tensor Images::pixels(const Indices& items) const {
  require_items(items);
  const Index row = height() * width();
  Tensor result = Tensor::empty({items.size(), row});
  Real* y = result.data();
  parallel_for(items.size(), std::max<Index>(1, 65536 / row), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const std::uint8_t* image = pixels_.data() + items[i] * row;
      std::transform(image, image + row, y + i * row, [](std::uint8_t v) { return v / Real(127.5) - 1; });
    }
  });
  return result;
}

Indices Images::labels(const Indices& items) const {
  require_items(items);
  std::vector<Index> result;
  for (const Index item : items) result.push_back(labels_[static_cast<std::size_t>(item)]);
  return result;
}

Images load_images(const std::string& folder, Split split, Index classes) {
  const std::string prefix = split == Split::kTrain ? "train" : "t10k";
  const std::string image_path = find(folder, prefix + "-images-idx3-ubyte");
  const std::string label_path = find(folder, prefix + "-labels-idx1-ubyte");
  IdxArray images = read_idx(image_path);
  IdxArray labels = read_idx(label_path);

  require_file(images.shape.rank() == 3 && images.shape.size() > 0, image_path, "holds an array of shape ",
               images.shape, ", expected [count, height, width]");
  require_file(labels.shape.rank() == 1, label_path, "holds an array of shape ", labels.shape, ", expected [count]");
  require_file(images.shape[0] == labels.shape[0], label_path, "holds ", labels.shape[0], " labels for the ",
               images.shape[0], " images of ", image_path);
  const auto wrong =
      std::find_if(labels.bytes.begin(), labels.bytes.end(), [&](int label) { return label >= classes; });
  if (wrong != labels.bytes.end()) {
    throw FileError(label_path, "label ", wrong - labels.bytes.begin(), " is ", int{*wrong}, ", expected 0 to ",
                    classes - 1);
  }
  return Images(images.shape, std::move(images.bytes), std::move(labels.bytes), classes);
}

}  // namespace rill::datasets
