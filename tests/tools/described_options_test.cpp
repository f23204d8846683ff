// Options that are fields of descriptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <tuple>

#include "autodiff/text.hpp"
#include "tests/temporary_folder.hpp"
#include "tests/tools/process.hpp"
#include "tools/cli/options.hpp"
#include "tools/train_settings.hpp"

namespace rill::tools {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::TemporaryFolder;
using testing_support::write_contents;

struct Boat {
  Index length = 4;
  Index seats = 2;

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("length", self.length, {.unit = "METERS", .help = "length"});
    visit("seats", self.seats, {.unit = "COUNT", .help = "seats"});
  }
};
struct Vehicle {
  std::string kind = "cart";
  std::vector<Index> length = {1, 2};
  double load = 0.5;
  bool closed = false;
  Boat boat = {};

  template <class Self, class Visit>
  static void visit_fields(Self& self, const Visit& visit) {
    visit("kind", self.kind, {.unit = "KIND", .help = "which", .option = "vehicle"});
    if (self.kind == "cart") visit("length", self.length, {.unit = "METERS", .help = "length of each side"});
    visit("closed", self.closed, {.help = "has a roof"});
    visit("load", self.load,
          {.unit = "TONS", .help = "load", .only = {"closed", self.closed ? "true" : "false", {"false"}}});
    if (self.kind == "boat") visit("boat", self.boat, {});
  }
};

/// A program with a vehicle, read as programs read their options.
struct Program {
  TemporaryFolder folder;
  Vehicle vehicle;
  std::string toml;

  std::string file() const { return folder / "c.toml"; }
  std::string error(const std::string& text, std::vector<const char*> words) {
    Options options("program", "Does things.", "");
    vehicle = {};
    options.add("vehicle", vehicle.kind, "KIND", "cart or boat");
    options.add_fields_of_kinds(vehicle, "vehicle", {"cart", "boat"});
    words.insert(words.begin(), "program");
    try {
      options.read_command_line(static_cast<int>(words.size()), words.data());
      write_contents(file(), text);
      options.read_file(file());
      options.use(vehicle);
      options.apply_command_line();
      options.use(vehicle);
    } catch (const UsageError& error) {
      return error.what();
    }
    toml = options.to_toml();
    return "";
  }
  std::string help() {
    Options options("program", "Does things.", "");
    options.add("vehicle", vehicle.kind, "KIND", "cart or boat");
    options.add_fields_of_kinds(vehicle, "vehicle", {"cart", "boat"});
    const char* words[] = {"program", "--help"};
    testing::internal::CaptureStdout();
    EXPECT_FALSE(options.read_command_line(2, words));
    return testing::internal::GetCapturedStdout();
  }
};

TEST(DescribedOptions, SetTheFieldsOfTheChosenKind) {
  Program program;
  EXPECT_EQ(program.error("length = [3, 4]\n", {"--load", "2"}), "");
  EXPECT_THAT(program.vehicle.length, ElementsAre(3, 4));
  EXPECT_EQ(program.vehicle.load, 2);
  EXPECT_EQ(program.vehicle.boat.length, 4);
  EXPECT_EQ(program.error("seats = 5\n", {"--vehicle", "boat", "--length", "7"}), "");
  EXPECT_EQ(program.vehicle.boat.seats, 5);
  EXPECT_EQ(program.vehicle.boat.length, 7);
  EXPECT_THAT(program.vehicle.length, ElementsAre(1, 2));  // a cart's default
  EXPECT_THAT(program.toml, AllOf(HasSubstr("length = 7  # length\n"), HasSubstr("seats = 5  # seats\n")));
}

TEST(DescribedOptions, OfOtherKindsAreRefused) {
  Program program;
  EXPECT_EQ(program.error("", {"--seats", "3"}), "--seats: is for boat, but --vehicle is cart");
  EXPECT_EQ(program.error("seats = 3\n", {}),
            program.file() + ": line 1: seats: is for boat, but --vehicle is cart; remove the line");
  EXPECT_EQ(program.error("seats = 0\n", {}), "");  // asks for nothing
  EXPECT_EQ(program.error("vehicle = \"boat\"\nseats = 3\n", {"--vehicle", "cart"}), "");
  EXPECT_EQ(program.vehicle.boat.seats, 2);
  EXPECT_THAT(program.toml, HasSubstr("# seats = 2  # is for boat, but --vehicle is cart\n"));
}

TEST(DescribedOptions, ThatChangeNothingAreRefused) {
  Program program;
  EXPECT_EQ(program.error("", {"--closed", "--load", "3"}), "--load: is for false, but --closed is true");
  EXPECT_EQ(program.error("load = 3\n", {"--closed"}), "");
  EXPECT_EQ(program.vehicle.load, 0.5);
}

// A cart's length may have values that a boat's may not.
TEST(DescribedOptions, AreReadAsTheFieldThatCounts) {
  Program program;
  EXPECT_EQ(program.error("", {"--vehicle", "boat", "--length", "3,4"}),
            "--length: expected a whole number, found '3,4'");
  EXPECT_EQ(program.error("length = [3, 4]\n", {"--vehicle", "boat"}),
            program.file() + ": line 1: length: expected one value, found a list of 2");
  EXPECT_EQ(program.error("", {"--length", "x"}), "--length: expected a whole number, found 'x'");
}

TEST(DescribedOptions, AreExplainedForEveryKind) {
  Program program;
  EXPECT_THAT(program.help(), AllOf(HasSubstr("cart: length of each side [1,2]; boat: length [4]"),
                                    HasSubstr("boat: seats [2]"), HasSubstr(" has a roof"), HasSubstr(" false: load")));
}

// Every number of a description, by its key, except those that cannot be set.
template <Described D>
void collect(const D& description, const std::string& prefix, std::set<std::string>& set,
             std::set<std::string>& unset) {
  D::visit_fields(description, [&](const char* key, const auto& field, const Setting& setting) {
    if constexpr (Described<std::remove_cvref_t<decltype(field)>>) {
      collect(field, prefix + key + ".", set, unset);
    } else if (setting.can_be_set()) {
      set.insert(setting.option_name(key));
    } else {
      unset.insert(prefix + key);
    }
  });
}

TEST(TrainSettings, NothingThatADescriptionHoldsIsOutOfReach) {
  std::set<std::string> set, unset;
  for (const std::string& kind : nn::time_network_names()) {
    collect(nn::TimeNetworkDescription{.kind = kind}, "", set, unset);
  }
  collect(nn::ImageClassifierDescription{}, "", set, unset);
  const auto of_all = [&]<class... Model>(const std::tuple<Model...>*) {
    (collect(typename Model::Description{}, "", set, unset), ...);
  };
  of_all(static_cast<const flow::AllFamilies*>(nullptr));
  collect(nn::TrainerOptions{}, "", set, unset);
  // These follow from the data.
  EXPECT_THAT(unset,
              ElementsAre("classes", "dimension", "image.channels", "image.height", "image.width", "shape.classes",
                          "shape.dimension", "shape.image.channels", "shape.image.height", "shape.image.width"));

  TrainSettings settings;
  Options options("train", "Trains.", "");
  settings.declare(options);
  const std::string all = options.to_toml();
  for (const std::string& name : set) EXPECT_THAT(all, HasSubstr("\n" + name + " = ")) << name;
  for (const char* name : {"mlp-ratio", "head-channels", "no-class", "nesterov"}) EXPECT_TRUE(set.contains(name));
}

// Whatever it is set to reaches the model.
TEST(TrainSettings, EveryKindOfNetworkIsSetThroughItsOptions) {
  const auto network = [](std::vector<const char*> words) {
    TrainSettings settings;
    Options options("train", "Trains.", "");
    settings.declare(options);
    words.insert(words.begin(), "train");
    EXPECT_TRUE(options.read_command_line(static_cast<int>(words.size()), words.data()));
    options.apply_command_line();
    settings.refuse_unused(options);
    settings.complete();
    return settings.family.network;
  };
  const nn::TimeNetworkDescription unet =
      network({"--data", "images", "--model", "unet", "--channels", "16", "--head-channels", "8", "--no-class=false",
               "--blocks", "3", "--dropout", "0.1"});
  EXPECT_EQ(unet.unet, (nn::UNetDescription{
                           .base_channels = 16, .blocks = 3, .head_channels = 8, .dropout = 0.1, .no_class = false}));
  EXPECT_EQ(unet.dit, nn::DitDescription{});
  const nn::TimeNetworkDescription dit =
      network({"--data", "images", "--model", "dit", "--mlp-ratio", "2", "--blocks", "3"});
  EXPECT_EQ(dit.dit, (nn::DitDescription{.blocks = 3, .mlp_ratio = 2}));
  EXPECT_EQ(dit.unet, nn::UNetDescription{});
}

}  // namespace
}  // namespace rill::tools
