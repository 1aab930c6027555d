// The strict JSON reader: what it takes, and what it refuses with which words.

#include "engine/formats/json.h"

#include <gtest/gtest.h>

#include "engine/core/limits.h"

namespace mirror::formats {
namespace {

JsonValue parsed(std::string_view text) { return value_or_throw(parse_json(text, "file.json")); }

std::string refusal(std::string_view text) {
    const auto result = parse_json(text, "file.json");
    return result.ok() ? "accepted" : result.error().detail;
}

struct BadJson {
    const char* what;
    std::string text;
    const char* fragment;
};

class RefusedJson : public ::testing::TestWithParam<BadJson> {};

TEST_P(RefusedJson, IsNamedInOneLine) {
    const std::string sentence = refusal(GetParam().text);
    EXPECT_NE(sentence.find(GetParam().fragment), std::string::npos) << GetParam().what << ": " << sentence;
    EXPECT_EQ(sentence.find("file.json"), 0u) << sentence;
    EXPECT_EQ(sentence.find('\n'), std::string::npos);
    EXPECT_LT(sentence.size(), 300u);
}

const std::vector<BadJson> kBadJson = {
    {"nothing", "", "ends too early"},
    {"white space only", " \n", "ends too early"},
    {"byte order mark", "\xef\xbb\xbf{}", "byte order mark"},
    {"two values", "{} {}", "something follows"},
    {"trailing comma in an object", R"({"a": 1,})", "expected a string"},
    {"trailing comma in a list", "[1,]", "malformed number"},
    {"no comma", "[1 2]", "expected ','"},
    {"no colon", R"({"a" 1})", "expected ':'"},
    {"duplicate key", R"({"a": 1, "b": 2, "a": 3})", "key a appears twice"},
    {"duplicate key by escape", R"({"a": 1, "\u0061": 3})", "key a appears twice"},
    {"duplicate key deep inside", R"([[{"x": {"y": 1, "y": 1}}]])", "key y appears twice"},
    {"bidirectional key", "{\"a\u202eb\": 1, \"a\u202eb\": 2}", "a\\u202eb"},
    {"single quotes", "{'a': 1}", "expected a string"},
    {"leading zero", "[01]", "malformed number"},
    {"plus sign", "[+1]", "malformed number"},
    {"no digit after the point", "[1.]", "malformed number"},
    {"no digit before the point", "[.5]", "malformed number"},
    {"no exponent", "[1e]", "malformed number"},
    {"hexadecimal", "[0x10]", "expected ','"},
    {"NaN", "[NaN]", "malformed number"},
    {"infinity", "[Infinity]", "malformed number"},
    {"below 64 bits", "[-9223372036854775809]", "out of range"},
    {"above 64 bits", "[18446744073709551616]", "out of range"},
    {"too large for a double", "[1e400]", "out of range"},
    {"unknown word", "[nul]", "unknown word"},
    {"control character", "[\"a\x01\"]", "control character"},
    {"line break in a string", "[\"a\nb\"]", "control character"},
    {"open string", "[\"abc", "ends in a string"},
    {"open escape", "[\"abc\\", "ends in a string"},
    {"unknown escape", R"(["\x41"])", "unknown escape"},
    {"short unicode escape", R"(["\u12"])", "wrong \\u escape"},
    {"sign in a unicode escape", R"(["\u-123"])", "wrong \\u escape"},
    {"high surrogate alone", R"(["\ud800"])", "surrogate"},
    {"low surrogate alone", R"(["\udc00"])", "surrogate"},
    {"two high surrogates", R"(["\ud800\ud800"])", "surrogate"},
    {"invalid UTF-8", "[\"\xff\"]", "not UTF-8"},
    {"overlong UTF-8", "[\"\xc0\xaf\"]", "not UTF-8"},
    {"surrogate in UTF-8", "[\"\xed\xa0\x80\"]", "not UTF-8"},
    {"UTF-16", std::string("{\0}\0", 4), "expected a string"},
    {"NUL inside", std::string("{\"a\":\0 1}", 9), "malformed number"},
    {"comment", "[1] // x", "something follows"},
    {"a million levels", std::string(1'000'000, '['), "deeper than 64"},
};

INSTANTIATE_TEST_SUITE_P(Json, RefusedJson, ::testing::ValuesIn(kBadJson));

TEST(Json, KeepsIntegersExactly) {
    const auto value =
        parsed("[9007199254740993, -9223372036854775808, 9223372036854775807, 18446744073709551615, 1.0, -0]");
    const auto& list = *value.as_array();
    EXPECT_EQ(list[0].as_integer(), 9007199254740993);
    EXPECT_EQ(list[1].as_integer(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(list[2].as_integer(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(list[3].as_integer(), std::nullopt);
    EXPECT_EQ(list[3].as_unsigned(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_FALSE(list[4].is_integer());
    EXPECT_EQ(list[4].as_number(), 1.0);
    EXPECT_EQ(list[5].as_integer(), 0);
}

TEST(Json, ReadsEveryKindInOrder) {
    const auto value = parsed(" { \"z\" : null , \"a\":[true,false,1e-3,\"x\"], \"m\":{} } ");
    const auto& object = *value.as_object();
    ASSERT_EQ(object.size(), 3u);
    EXPECT_EQ(object[0].first, "z");
    EXPECT_TRUE(object[0].second.is_null());
    EXPECT_EQ(object[1].first, "a");
    const auto& list = *value.find("a")->as_array();
    EXPECT_TRUE(*list[0].as_bool());
    EXPECT_DOUBLE_EQ(*list[2].as_number(), 1e-3);
    EXPECT_EQ(*list[3].as_string(), "x");
    EXPECT_TRUE(value.find("m")->is_object());
    EXPECT_EQ(value.find("none"), nullptr);
}

TEST(Json, UnescapesStrings) {
    EXPECT_EQ(*parsed(R"("\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00")").as_string(),
              "\"\\/\b\f\n\r\t\u00e9\u20ac\U0001F600");
}

TEST(Json, DepthLimit) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_EQ(refusal(nested(limits::kJsonDepth - 1)), "accepted");
    EXPECT_EQ(refusal(nested(limits::kJsonDepth)), "accepted");
    EXPECT_NE(refusal(nested(limits::kJsonDepth + 1)).find("deeper than 64"), std::string::npos);
}

TEST(Json, QuotesWhatItReads) {
    for (const std::string& text :
         {std::string("plain"), std::string("a\"b\\c\n\x01"), std::string("\u00e9\u202e"), std::string("a\0b", 3)}) {
        EXPECT_EQ(*parsed(json_quoted(text)).as_string(), text);
    }
}

}  // namespace
}  // namespace mirror::formats
