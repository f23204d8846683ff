#include "autodiff/description.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autodiff/summary.hpp"

namespace rill {
namespace {

using testing::ElementsAre;

std::vector<std::string> colors() { return {"red", "green"}; }

// Wheels and, inside, a motor that only cars have.
struct Motor {
  double power = 1;
  bool electric = false;

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("power", self.power, {.unit = "WATT", .help = "power"});
    visit("is_electric", self.electric, {.help = "without fuel"});
  }
};
struct Vehicle {
  std::string kind = "cart";
  std::vector<Index> wheels = {2, 2};
  std::string color = "red";
  Index shade = 3;
  Index weight = 0;
  Motor motor = {};

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("kind", self.kind, {.unit = "KIND", .help = "cart or car", .summary = "{}"});
    visit("wheels", self.wheels, {.unit = "COUNTS", .help = "wheels of each axle", .summary = " {}"});
    visit("color", self.color, {.unit = "NAME", .names = colors, .option = "paint"});
    visit("shade", self.shade, {.unit = "NUMBER", .help = "depth", .only = {"paint", self.color, {"green"}}});
    visit("weight", self.weight, {});
    if (self.kind == "car") visit("motor", self.motor, {});
  }
};

TEST(Description, NamesSettingsAsPeopleWriteThem) {
  EXPECT_THAT(setting_names(Vehicle{}), ElementsAre("kind", "wheels", "paint", "shade"));
  EXPECT_THAT(setting_names(Vehicle{.kind = "car"}),
              ElementsAre("kind", "wheels", "paint", "shade", "power", "is-electric"));
}

TEST(Summary, ShowsWhatDiffersFromTheDefaultOfItsKind) {
  EXPECT_EQ(summary(Vehicle{}), "cart 2-2");
  EXPECT_EQ(summary(Vehicle{.kind = "car", .motor = {.power = 2.5, .electric = true}}),
            "car 2-2, power 2.5, is electric");
  EXPECT_EQ(summary(Vehicle{.wheels = {}, .weight = 7}), "cart none");  // the weight is not a setting
}

TEST(Summary, LeavesOutWhatDoesNotCount) {
  EXPECT_EQ(summary(Vehicle{.shade = 5}), "cart 2-2");
  EXPECT_EQ(summary(Vehicle{.color = "green", .shade = 5}), "cart 2-2, paint green, shade 5");
}

}  // namespace
}  // namespace rill
