// Runs made by earlier versions still load, sample, measure and resume.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/real.hpp"
#include "datasets/csv.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"

namespace rill {
namespace {

using namespace testing_support;
using Words = std::vector<std::string>;

// Samples were drawn on one instruction set, and another one rounds otherwise. (A double build draws other numbers.)
void expect_near(const std::string& csv, const std::string& golden) {
  const datasets::Table found = datasets::read_csv(csv), expected = datasets::read_csv(golden);
  ASSERT_EQ(found.values.size(), expected.values.size());
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_NEAR(found.values[i], expected.values[i], 2e-5) << golden << ", number " << i;
  }
}

class OldRuns : public ::testing::TestWithParam<const char*> {
 protected:
  OldRuns() : run_(folder_ / GetParam()) { std::filesystem::copy(std::string(RILL_OLD_RUNS) + "/" + GetParam(), run_); }
  void expect_samples(const std::string& golden) const {
    const std::string csv = folder_ / "found.csv";
    const Finished finished = run({"sample", run_, "--count", "4", "--steps", "5", "--out", csv});
    ASSERT_EQ(finished.code, 0) << finished.err;
    if (sizeof(Real) == 4) expect_near(csv, run_ + "/" + golden);
  }

  TemporaryFolder folder_;
  std::string run_;
};

TEST_P(OldRuns, SampleAsTheyDid) { expect_samples("samples.csv"); }

TEST_P(OldRuns, AreMeasured) {
  const Finished finished = run(
      {"evaluate", run_, "--count", "50", "--distance-points", "20", "--nll-points", "10", "--loss-samples", "100"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.out, testing::HasSubstr("\"loss\""));
}

TEST_P(OldRuns, ResumeAsTheyDid) {
  const Finished finished = run({"train", "--resume", run_, "--steps", "12"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  expect_samples("samples-after-12.csv");
}

INSTANTIATE_TEST_SUITE_P(, OldRuns, testing::Values("flow", "score"));

}  // namespace
}  // namespace rill
