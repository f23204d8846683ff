// The values of autodiff/json.hpp. What texts are accepted is tested with the files that hold them, in nn.
#include "autodiff/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "tests/misuse.hpp"

namespace rill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();

TEST(JsonValue, ReadsBackAsItWas) {
  const Json value = {{"z", nullptr},
                      {"a", true},
                      {"lowest", kLowest},
                      {"highest", kHighest},
                      {"third", 1.0 / 3},
                      {"whole", 50.0},
                      {"text", "\"\n\xff"},
                      {"numbers", std::vector<std::int64_t>{-1, 0, 1}},
                      {"map", std::map<std::string, double>{{"b", 2}, {"a", 1.5}}},
                      {"nothing", Json::Object()},
                      {"empty", Json::Array()}};
  const std::string text = dump_json(value);
  EXPECT_EQ(text,
            "{\"z\":null,\"a\":true,\"lowest\":-9223372036854775808,\"highest\":18446744073709551615,"
            "\"third\":0.3333333333333333,\"whole\":50.0,\"text\":\"\\\"\\n\xee\xbf\xbf\",\"numbers\":[-1,0,1],"
            "\"map\":{\"a\":1.5,\"b\":2.0},\"nothing\":{},\"empty\":[]}");
  EXPECT_EQ(parse_json(text, "text"), value);
  EXPECT_EQ(dump_json(Json{{"a", 1}}, 2), "{\n  \"a\": 1\n}");
  EXPECT_EQ(dump_json(std::numeric_limits<double>::infinity()), "null");  // which JSON has no number for
}

TEST(JsonValue, IsOfEveryTypeThatCanHoldIt) {
  EXPECT_TRUE(Json(255).is<std::uint8_t>());
  EXPECT_FALSE(Json(256).is<std::uint8_t>());
  EXPECT_FALSE(Json(-1).is<std::uint64_t>());
  EXPECT_FALSE(Json(kHighest).is<std::int64_t>());
  EXPECT_TRUE(Json(kHighest).is<double>());
  EXPECT_FALSE(Json(1.0).is<int>());
  EXPECT_FALSE(Json(true).is<int>());
  EXPECT_FALSE(Json(1).is<bool>());
  EXPECT_TRUE(parse_json("[1,2.5]", "text").is<std::vector<double>>());
  EXPECT_FALSE(parse_json("[1,2.5]", "text").is<std::vector<int>>());
  EXPECT_TRUE((parse_json("{\"a\":1}", "text").is<std::map<std::string, double>>()));
  EXPECT_FALSE((parse_json("{\"a\":\"1\"}", "text").is<std::map<std::string, double>>()));
  EXPECT_EQ(Json(kHighest).get<std::uint64_t>(), kHighest);
  EXPECT_EQ(Json(kLowest).get<std::int64_t>(), kLowest);
  EXPECT_THAT(parse_json("[3,4]", "text").get<std::vector<int>>(), ElementsAre(3, 4));
}

TEST(JsonValue, ObjectsAreSearchedAndChangedByKey) {
  Json value;
  value["b"] = 1;
  value["a"]["inner"] = 2;
  value["list"].push_back("x");
  EXPECT_EQ(dump_json(value), "{\"b\":1,\"a\":{\"inner\":2},\"list\":[\"x\"]}");
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(Json(3).find("c"), nullptr);
  EXPECT_EQ(value.take("b"), 1);
  EXPECT_FALSE(value.contains("b"));
  EXPECT_EQ(value.at("a").at("inner"), 2);
}

TEST(JsonValue, NumbersAreComparedByValue) {
  EXPECT_EQ(Json(2), Json(2.0));
  EXPECT_NE(Json(2), Json(2.5));
  EXPECT_NE(Json(kHighest), Json(kHighest - 1));  // which are the same double
  EXPECT_NE(Json(1), Json(true));
  EXPECT_NE(Json("1"), Json(1));
}

TEST(JsonValue, MisuseIsExplained) {
  EXPECT_EQ(misuse([] { Json("x").get<int>(); }), "JSON: found a value of type string, expected integer in range");
  EXPECT_EQ(misuse([] { Json(256).get<std::uint8_t>(); }),
            "JSON: found a value of type number, expected integer in range");
  EXPECT_EQ(misuse([] { Json(1).string(); }), "JSON: found a value of type number, expected string");
  EXPECT_THAT(misuse([] { Json(1)["key"]; }), HasSubstr("expected object"));
  EXPECT_THAT(misuse([] { Json(1).push_back(2); }), HasSubstr("expected array"));
  EXPECT_THAT(misuse([] { Json(Json::Object()).at("key"); }), HasSubstr("there is no member 'key'"));
  EXPECT_THAT(misuse([] { dump_json(Json{{"\xff", 1}}); }), HasSubstr("must be UTF-8"));
}

}  // namespace
}  // namespace rill
