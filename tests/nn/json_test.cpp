#include "autodiff/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "autodiff/random.hpp"
#include "nn/image_classifier.hpp"
#include "nn/time_network_description.hpp"
#include "tests/misuse.hpp"

namespace rill::nn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Utf8, LeavesTextAsItIs) {
  for (const std::string text :
       {"", "a/b.csv", "\u00e9\u4e2d\U0001f600", "\ud7ff\ue000\U0010ffff", "back\\slash \\xff"}) {
    EXPECT_EQ(to_utf8(text), text);
    EXPECT_EQ(from_utf8(text), text);
  }
}

TEST(Utf8, AnyBytesComeBackAndAreJsonInBetween) {
  std::vector<std::string> cases = {"points\xff.csv",
                                    "\xc3",
                                    "\xc0\x80",
                                    "\xed\xa0\x80",
                                    "\xf4\x90\x80\x80",
                                    "\xee\xbe\x80",
                                    "\xee\xbf\xbf",
                                    "\xee\xbe",
                                    std::string("\0\x80\n\"", 4)};
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      cases.push_back({static_cast<char>(first), static_cast<char>(second)});
    }
  }
  Generator rng(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (const Index byte : rng.integers(1 + i % 40, 256)) bytes += static_cast<char>(byte | (i % 2 ? 0x80 : 0));
    cases.push_back(bytes);
  }
  for (const std::string& bytes : cases) {
    const std::string text = dump_json({{"key", bytes}, {"list", Json::Array{bytes}}});
    ASSERT_EQ(from_utf8(to_utf8(bytes)), bytes) << testing::PrintToString(bytes);
    const Json read = parse_json(text, "text");
    ASSERT_EQ(read.at("key"), bytes);
    ASSERT_EQ(read.at("list"), Json::Array{bytes});
    ASSERT_EQ(parse_json(dump_json({{"inner", text}}), "text").at("inner"), text);
  }
}

TEST(Json, IsRefusedWithShortReasons) {
  const auto error = [](const std::string& text) { return misuse([&] { parse_json(text, "the header"); }); };
  EXPECT_THAT(error("{"), HasSubstr("the header is not valid JSON"));
  EXPECT_THAT(error("{\"a\": 1, \"b\": {\"a\": 1, \"a\": 2}}"), HasSubstr("the header has the key \"a\" twice"));
  EXPECT_THAT(error("\"\xff\""), HasSubstr("not valid JSON"));
  EXPECT_THAT(error("1e999"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error(std::string("{}\0}", 4)), HasSubstr("not valid JSON: it holds a zero byte"));
  EXPECT_LT(error('"' + std::string(1'000'000, 'x')).size(), 300u);
}

TEST(Json, NestedTooDeepIsRefusedBeforeItIsBuiltOrPrinted) {
  const std::string deep(100'000, '['), closed = deep + std::string(100'000, ']');
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  for (const std::string& text : {deep, closed, objects, "{\"model\":" + closed + "}"}) {
    EXPECT_EQ(misuse([&] { parse_json(text, "text"); }), "text is nested more than 32 deep");
  }
  EXPECT_NO_THROW(parse_json(std::string(32, '[') + std::string(32, ']'), "text"));
  for (const std::string& text : {closed, "{\"kind\":" + closed + "}"}) {
    EXPECT_THAT(misuse([&] { parse_time_network_description(text); }), HasSubstr("nested more than 32 deep"));
    EXPECT_THAT(misuse([&] { parse_image_classifier_description(text); }), HasSubstr("nested more than 32 deep"));
  }
}

TEST(Json, DescriptionsSayWhatIsWrongWithAValueInShort) {
  std::string zeros = "[0";
  for (int i = 0; i < 100'000; ++i) zeros += ",0";
  for (const std::string& value :
       {std::string("\"\xee\xbe\x80\""), zeros + "]", std::string("1e300"), std::string("-1.5"),
        std::string("18446744073709551615"), std::string("true"), std::string("null")}) {
    std::string text = to_json(TimeNetworkDescription{});
    text.replace(text.find("\"dimension\":2"), 13, "\"dimension\":" + value);
    const std::string message = misuse([&] { parse_time_network_description(text); });
    EXPECT_THAT(message, AllOf(HasSubstr("'dimension' is "), HasSubstr("wrong type"))) << value.substr(0, 20);
    EXPECT_LT(message.size(), 200u);
  }
}

TEST(Json, DescriptionsHoldAnyBytes) {
  TimeNetworkDescription description;
  description.activation = "sil\xff";
  EXPECT_EQ(parse_time_network_description(to_json(description)), description);
}

}  // namespace
}  // namespace rill::nn
