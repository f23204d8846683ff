// Tables of points: trained on, sampled and measured, in any units.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "autodiff/json.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/random.hpp"
#include "datasets/csv.hpp"
#include "datasets/data.hpp"
#include "datasets/npy.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tests/tools/tiny_images.hpp"
#include "tests/tools/tiny_runs.hpp"

namespace rill {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using namespace testing_support;

// [rows, 2] of offset + spread N(0, 1), with the same N(0, 1) in any units.
std::vector<double> normal(Index rows, double offset, double spread) {
  Generator rng(3);
  std::vector<Real> z(static_cast<std::size_t>(2 * rows));
  rng.normal(2 * rows, z.data());
  std::vector<double> values;
  for (const Real value : z) values.push_back(offset + spread * static_cast<double>(value));
  return values;
}

datasets::DataDescription table(const std::string& path) {
  datasets::DataDescription description;
  description.kind = "table";
  description.source = path;
  return description;
}

datasets::DataDescription moons() {
  datasets::DataDescription description;
  description.source = "moons";
  return description;
}

TEST(Table, DrawsEachRowOnce) {
  const TemporaryFolder folder;
  datasets::write_npy(folder / "x.npy", Tensor::linspace(0, 39, 40));
  const auto data = datasets::open_data(table(folder / "x.npy"));
  EXPECT_EQ(data->size(), 40);
  EXPECT_EQ(datasets::open_data(moons())->size(), std::nullopt);
  Generator rng(1);
  for (const Index n : {1, 39, 40, 41, 1000}) {
    const Tensor x = data->draw(n, rng).x_1;
    EXPECT_EQ(x.dim(0), std::min<Index>(n, 40));
    EXPECT_EQ(std::ssize(std::set<Real>(x.data(), x.data() + x.size())), x.dim(0)) << n;
  }
  EXPECT_NE(data->draw(20, rng).x_1.to_vector(), data->draw(20, rng).x_1.to_vector());
}

TEST(ImagesOfAFolder, DrawEachImageOnce) {
  const TemporaryFolder folder;
  write_tiny_images(folder.path());
  datasets::DataDescription description;
  description.kind = "images";
  description.source = folder.path();
  description.classes = 3;
  const auto data = datasets::open_data(description, datasets::Split::kTest);
  EXPECT_EQ(data->size(), 30);
  Generator rng(1);
  const datasets::Batch drawn = data->draw(1000, rng);
  std::set<std::vector<Real>> images;
  for (Index i = 0; i < drawn.x_1.dim(0); ++i) images.insert(slice(drawn.x_1, 0, i, i + 1).to_vector());
  EXPECT_EQ(images.size(), 30u);
  EXPECT_EQ(drawn.x_1.dim(0), 30);
  EXPECT_EQ(std::count(drawn.labels.begin(), drawn.labels.end(), 1), 10);
}

TEST(Table, ModelUnitsDataUnitsAndMeasuringUnits) {
  datasets::DataDescription description = table("");
  description.standardization = {{1.7e9, 0, -3}, {60, 2e30, 1e-28}};
  const Tensor z = Tensor::from({0, 0, 0, 1, -1, 2}, {2, 3});
  const datasets::Table x = datasets::to_data_units(description, z);
  EXPECT_THAT(x.values, testing::ElementsAre(1.7e9, 0, -3, 1.7e9 + 60, -2e30, -3));
  EXPECT_EQ(datasets::measuring_unit(description), 2e30);
  // 60 / 2e30 is what it is, and 1e-28 / 2e30 too little to matter.
  const Tensor y = datasets::to_measuring_units(description, z);
  EXPECT_EQ(y.data()[4], -1);
  EXPECT_NEAR(y.data()[3] / 3e-29, 1, 1e-6);
  EXPECT_NEAR(y.data()[5], 0, 1e-50);
  EXPECT_NEAR(datasets::log_volume(description), std::log(60) + std::log(2e30) + std::log(1e-28), 1e-9);

  const datasets::DataDescription density = moons();
  EXPECT_EQ(datasets::to_measuring_units(density, z).to_vector(), z.to_vector());
  EXPECT_EQ(datasets::measuring_unit(density), 1);
  EXPECT_EQ(datasets::log_volume(density), 0);
}

// One run for each unit: the model is the same, and so are samples and measurements in that unit.
class TableUnits : public testing::Test {
 protected:
  struct Run {
    std::vector<double> samples;
    Json measured;
  };
  Run measure(const std::string& name, double offset, double spread) {
    datasets::write_npy(folder / (name + ".npy"), {500, 2}, normal(500, offset, spread));
    const Finished trained = run(tiny_training(folder / name, {"--data", folder / (name + ".npy"), "--steps", "300"}));
    EXPECT_EQ(trained.code, 0) << trained.err;
    EXPECT_EQ(run({"sample", folder / name, "--count", "500", "--out", folder / "x.npy", "--image", folder / "x.png",
                   "--gif", folder / "x.gif", "--trajectories", folder / "w.npy"})
                  .code,
              0);
    const datasets::NpyArray ways = datasets::read_npy(folder / "w.npy");
    const std::vector<double> x = datasets::read_npy(folder / "x.npy").values;
    EXPECT_TRUE(std::equal(x.begin(), x.end(), ways.values.end() - std::ssize(x)));
    EXPECT_EQ(run({"sample", folder / name, "--count", "500", "--out", folder / "x.csv"}).code, 0);
    EXPECT_EQ(datasets::read_csv(folder / "x.csv").values, x) << "CSV has every digit";
    const Finished evaluated =
        run({"evaluate", folder / name, "--loss-samples", "500", "--count", "10", "--distance-points", "200",
             "--nll-points", "50", "--nll-tolerance", "1e-3", "--density", folder / "d.png"});
    EXPECT_EQ(evaluated.code, 0) << evaluated.err;
    return {x, parse_json(evaluated.out, "what was printed")};
  }
  TemporaryFolder folder;
};

TEST_F(TableUnits, ChangeNothingElse) {
  const Run plain = measure("plain", 0, 1);
  struct Unit {
    const char* name;
    double offset, spread;
  };
  for (const Unit& unit : {Unit{"stamps", 1.7e9, 60}, {"large", 1e6, 1}, {"huge", 0, 2e30}, {"tiny", 0, 1e-28}}) {
    SCOPED_TRACE(unit.name);
    const Run other = measure(unit.name, unit.offset, unit.spread);
    // Standardized in double the tables differ by the last digits of a double only: the runs agree to those of a float.
    double worst = 0;
    for (std::size_t i = 0; i < plain.samples.size(); ++i) {
      worst = std::max(worst, std::abs((other.samples[i] - unit.offset) / unit.spread - plain.samples[i]));
    }
    EXPECT_LT(worst, 1e-3);
    EXPECT_EQ(std::set<double>(other.samples.begin(), other.samples.end()).size(), other.samples.size());
    const auto expect_scaled = [&](const char* key, double scale) {
      const double expected = plain.measured.at(key).number() * scale;
      EXPECT_NEAR(other.measured.at(key).number(), expected, 2e-3 * std::abs(expected)) << key;
    };
    expect_scaled("loss", 1);
    for (const char* key : {"wasserstein1", "wasserstein2", "wasserstein2_floor", "sliced_wasserstein2"}) {
      expect_scaled(key, unit.spread);
    }
    expect_scaled("path_energy", unit.spread * unit.spread);
    expect_scaled("normalized_path_energy", 1);
    EXPECT_NEAR(other.measured.at("nll").number(), plain.measured.at("nll").number() + 2 * std::log(unit.spread), 1e-2);
  }
}

TEST(TableRuns, ModelSafetensorsIsAllThatSamplingNeeds) {
  const TemporaryFolder folder;
  datasets::write_npy(folder / "x.npy", {100, 2}, normal(100, 5, 2));
  ASSERT_EQ(run(tiny_training(folder / "run", {"--data", folder / "x.npy"})).code, 0);
  std::filesystem::remove(folder / "x.npy");
  const Finished points = run({"sample", folder / "run", "--count", "5"});
  EXPECT_EQ(points.code, 0) << points.err;
  const Finished picture =
      run({"sample", folder / "run", "--count", "50", "--image", folder / "s.png", "--gif", folder / "s.gif"});
  EXPECT_EQ(picture.code, 0) << picture.err;
  EXPECT_THAT(picture.err, AllOf(HasSubstr("x.npy: cannot open"), HasSubstr("without the data")));
  EXPECT_LT(picture.err.find("without the data"), picture.err.find("50 samples")) << "found out before sampling";
  EXPECT_THAT(contents(folder / "s.png"), StartsWith("\x89PNG"));
}

TEST(TableRuns, SayWhatMayBeMeantOtherwise) {
  const TemporaryFolder folder;
  folder.write("x.csv", "\"\",\"x\",\"y\"\n\"1\",5,2\n\"2\",6.5,2\n\"7\",8,2\n");
  const Finished trained = run(tiny_training(folder / "run", {"--data", folder / "x.csv", "--steps", "2"}));
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, AllOf(HasSubstr("3 points in 2 dimensions"),
                                 HasSubstr("x.csv: column 1 has no name and whole numbers: taken for a row index"),
                                 HasSubstr("x.csv: column 3 (y) is always 2: ")));
}

TEST(TableRuns, NeedTheirFileOnce) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "points.csv";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] {
    std::ofstream out(pipe);
    const std::vector<double> x = normal(200, 5, 2);
    for (std::size_t i = 0; i < x.size(); i += 2) out << x[i] << ',' << x[i + 1] << '\n';
  });
  const Finished trained = run(tiny_training(folder / "run", {"--data", pipe, "--sample-every", "50"}));
  writer.join();
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("200 points in 2 dimensions"));
  EXPECT_THAT(contents(folder / "run/samples.png"), StartsWith("\x89PNG"));
  const Finished picture = run({"sample", folder / "run", "--count", "50", "--image", folder / "s.png"});
  EXPECT_EQ(picture.code, 0) << picture.err;
  EXPECT_THAT(picture.err, HasSubstr("points.csv: is not a file; the picture will show the samples without the data"));
}

TEST(TableRuns, EndingsInCapitals) {
  const TemporaryFolder folder;
  datasets::write_npy(folder / "X.NPY", {100, 2}, normal(100, 5, 2));
  ASSERT_EQ(run(tiny_training(folder / "run", {"--data", folder / "X.NPY"})).code, 0);
  EXPECT_EQ(run({"sample", folder / "run", "--count", "5", "--out", folder / "P.CSV"}).code, 0);
  EXPECT_THAT(contents(folder / "P.CSV"), StartsWith("x,y\n"));
  EXPECT_EQ(run({"sample", folder / "run", "--count", "5", "--out", folder / "P.NPY"}).code, 0);
  EXPECT_THAT(contents(folder / "P.NPY"), StartsWith("\x93NUMPY"));
}

}  // namespace
}  // namespace rill
