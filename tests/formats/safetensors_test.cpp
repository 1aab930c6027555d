// The safetensors header: every rule and limit, and that what the writer plans the parser takes.

#include "engine/formats/safetensors.h"

#include <gtest/gtest.h>

#include <chrono>

#include "engine/core/limits.h"

namespace mirror::formats {
namespace {

std::string length_of(std::uint64_t length) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
    return bytes;
}

std::string file_of(const std::string& json, std::size_t data_bytes = 0) {
    return length_of(json.size()) + json + std::string(data_bytes, '\0');
}

Result<SafetensorsHeader> parse(const std::string& file) {
    return parse_safetensors(std::as_bytes(std::span(file.data(), file.size())), "x.safetensors");
}

std::string refusal(const std::string& file) {
    const auto result = parse(file);
    return result.ok() ? "accepted" : result.error().detail;
}

std::string tensor(const std::string& name, const std::string& fields) { return "\"" + name + "\":{" + fields + "}"; }

const std::string kFour = R"("dtype":"F32","shape":[1],"data_offsets":[0,4])";

struct BadFile {
    const char* what;
    std::string file;
    const char* fragment;
};

class RefusedFile : public ::testing::TestWithParam<BadFile> {};

TEST_P(RefusedFile, IsNamedInOneLine) {
    const std::string sentence = refusal(GetParam().file);
    EXPECT_NE(sentence.find(GetParam().fragment), std::string::npos) << GetParam().what << ": " << sentence;
    EXPECT_EQ(sentence.find("x.safetensors"), 0u) << sentence;
    EXPECT_EQ(sentence.find('\n'), std::string::npos);
    EXPECT_LT(sentence.size(), 300u) << sentence;
}

std::string one(const std::string& fields, std::size_t data_bytes = 4) {
    return file_of("{" + tensor("t", fields) + "}", data_bytes);
}

std::vector<BadFile> bad_frames() {
    return {
        {"empty", "", "only 0 bytes"},
        {"7 bytes", std::string(7, '\0'), "only 7 bytes"},
        {"8 bytes", std::string(8, '\0'), "states 0 bytes"},
        {"header of 1 byte", length_of(1) + "{", "states 1 bytes"},
        {"length 2^64-1", length_of(~0ULL) + "{}", "above the limit"},
        {"length 2^64-8", length_of(~0ULL - 7) + "{}", "above the limit"},
        {"length 2^63", length_of(1ULL << 63) + "{}", "above the limit"},
        {"limit + 1", length_of(limits::kSafetensorsHeaderBytes + 1) + "{}", "above the limit"},
        {"limit in a short file", length_of(limits::kSafetensorsHeaderBytes) + "{}", "only 2 after"},
        {"one byte too many", length_of(3) + "{}", "only 2 after"},
        {"leading space", file_of(" {}"), "does not begin with '{'"},
        {"a list", file_of("[]"), "does not begin with '{'"},
        {"byte order mark", file_of("\xef\xbb\xbf{}"), "does not begin with '{'"},
        {"UTF-16", file_of(std::string("{\0}\0", 4)), "expected a string"},
        {"garbage after the object", file_of("{}x"), "something follows"},
        {"not UTF-8", file_of("{\"\xff\":{}}"), "not UTF-8"},
        {"NUL in the header", file_of(std::string("{}\0", 3)), "something follows"},
        {"no JSON", file_of("{\"a\""), "ends too early"},
        {"deep", file_of("{\"t\":{" + kFour + ",\"x\":" + std::string(100'000, '[')), "deeper than 64"},
        {"bytes after the last tensor", one(kFour, 9), "5 bytes follow"},
        {"bytes without tensors", file_of("{}", 3), "3 bytes follow"},
        {"cut off", one(kFour, 3), "cut off: tensor t ends at byte 4 of 3"},
    };
}

std::vector<BadFile> bad_names() {
    const std::string other = R"("dtype":"F32","shape":[1],"data_offsets":[4,8])";
    return {
        {"same name twice", file_of("{" + tensor("t", kFour) + "," + tensor("t", other) + "}", 8),
         "tensor t appears twice"},
        {"same name twice by escape", file_of("{" + tensor("t", kFour) + "," + tensor("\\u0074", other) + "}", 8),
         "tensor t appears twice"},
        {"dtype twice", one(kFour + R"(,"dtype":"F32")"), "tensor t: the key dtype appears twice"},
        {"shape twice", one(kFour + R"(,"shape":[1])"), "key shape appears twice"},
        {"offsets twice", one(kFour + R"(,"data_offsets":[0,4])"), "key data_offsets appears twice"},
        {"unknown field twice", one(kFour + R"(,"x":1,"x":2)"), "key x appears twice"},
        {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})"), "key __metadata__ appears twice"},
        {"metadata key twice", file_of(R"({"__metadata__":{"a":"1","a":"2"}})"), "key a appears twice"},
        {"metadata with a number", file_of(R"({"__metadata__":{"a":1}})"), "not a string at a"},
        {"metadata as a string", file_of(R"({"__metadata__":"a"})"), "__metadata__ is not an object"},
        {"empty name", file_of("{" + tensor("", kFour) + "}", 4), "without a name"},
        {"name of 1025 bytes", file_of("{" + tensor(std::string(1025, 'n'), kFour) + "}", 4), "above 1024 bytes"},
        {"name of 10 MB", file_of("{" + tensor(std::string(10'000'000, 'n'), kFour) + "}", 4), "above 1024 bytes"},
        {"NUL in a name", file_of("{" + tensor("a\\u0000b", kFour) + "}", 4), "a\\x00b has a NUL"},
        {"bidirectional name", file_of("{" + tensor("a\u202eb", R"("dtype":"X")") + "}", 4), "a\\u202eb"},
    };
}

std::vector<BadFile> bad_fields() {
    const auto shape = [](const char* s) {
        return one(std::string(R"("dtype":"U8","data_offsets":[0,4],"shape":)") + s);
    };
    const auto offsets = [](const char* s) {
        return one(std::string(R"("dtype":"F32","shape":[1],"data_offsets":)") + s);
    };
    return {
        {"no object", file_of(R"({"t":1})"), "tensor t: it is not an object"},
        {"no dtype", one(R"("shape":[1],"data_offsets":[0,4])"), "dtype is missing"},
        {"no shape", one(R"("dtype":"F32","data_offsets":[0,4])"), "shape is missing"},
        {"no offsets", one(R"("dtype":"F32","shape":[1])"), "data_offsets is missing"},
        {"dtype a number", one(R"("dtype":1)"), "expected a string"},
        {"F8_E4M3", one(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])"), "dtype F8_E4M3 is not supported"},
        {"F8_E8M0", one(R"("dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4])"), "dtype F8_E8M0 is not supported"},
        {"F4", one(R"("dtype":"F4","shape":[8],"data_offsets":[0,4])"), "dtype F4 is not supported"},
        {"C64", one(R"("dtype":"C64","shape":[1],"data_offsets":[0,8])", 8), "dtype C64 is not supported"},
        {"lower case", one(R"("dtype":"f32","shape":[1],"data_offsets":[0,4])"), "dtype f32 is not supported"},
        {"shape a number", shape("4"), "shape is not a list"},
        {"negative dimension", shape("[-4]"), "negative"},
        {"fractional dimension", shape("[4.0]"), "not an integer"},
        {"dimension as text", shape("[\"4\"]"), "not an integer"},
        {"dimension null", shape("[null]"), "not an integer"},
        {"dimension 2^63", shape("[9223372036854775808]"), "dimension out of range"},
        {"dimension 2^64", shape("[18446744073709551616]"), "out of range"},
        {"rank 9", shape("[1,1,1,1,1,1,1,1,4]"), "more than 8 dimensions"},
        {"overflow 2^32 x 2^32", shape("[4294967296,4294967296]"), "overflows"},
        {"overflow 2^62 x 8", shape("[4611686018427387904,8]"), "overflows"},
        {"overflow of an empty one", shape("[0,4294967296,4294967296]"), "overflows"},
        {"overflow in bytes", one(R"("dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,4])"), "overflows"},
        {"three elements in four bytes", shape("[3]"), "U8 [3] is 3 bytes but its offsets hold 4"},
        {"one offset", offsets("[0]"), "fewer than two"},
        {"three offsets", offsets("[0,4,4]"), "more than two"},
        {"offsets an object", offsets("{}"), "data_offsets is not a list"},
        {"end before begin", offsets("[4,0]"), "ends before it begins"},
        {"negative offset", offsets("[-1,3]"), "negative"},
        {"fractional offset", offsets("[0.0,4]"), "not an integer"},
        {"offset as text", offsets("[\"0\",4]"), "not an integer"},
        {"offset with exponent", offsets("[0,4e0]"), "not an integer"},
        {"offset 2^53+1", offsets("[0,9007199254740993]"), "hold 9007199254740993"},
        {"offset 2^64-1", offsets("[0,18446744073709551615]"), "hold 18446744073709551615"},
        {"first offset not 0", one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])", 8), "hole before tensor t"},
        {"beyond the file", one(R"("dtype":"F32","shape":[1000],"data_offsets":[0,4000])", 8), "cut off"},
    };
}

std::vector<BadFile> bad_layouts() {
    const auto two = [](const char* a, const char* b, std::size_t bytes) {
        const std::string fields = R"("dtype":"F32","shape":[1],"data_offsets":)";
        return file_of("{" + tensor("a", fields + a) + "," + tensor("b", fields + b) + "}", bytes);
    };
    return {
        {"hole", two("[0,4]", "[8,12]", 12), "hole before tensor b"},
        {"same range", two("[0,4]", "[0,4]", 4), "overlaps"},
        {"overlap", two("[0,4]", "[2,6]", 6), "overlaps"},
        {"second one cut off", two("[0,4]", "[4,8]", 7), "cut off: tensor b"},
    };
}

INSTANTIATE_TEST_SUITE_P(Frames, RefusedFile, ::testing::ValuesIn(bad_frames()));
INSTANTIATE_TEST_SUITE_P(Names, RefusedFile, ::testing::ValuesIn(bad_names()));
INSTANTIATE_TEST_SUITE_P(Fields, RefusedFile, ::testing::ValuesIn(bad_fields()));
INSTANTIATE_TEST_SUITE_P(Layouts, RefusedFile, ::testing::ValuesIn(bad_layouts()));

TEST(Safetensors, TakesWhatIsLegal) {
    EXPECT_EQ(refusal(file_of("{}")), "accepted");
    EXPECT_EQ(refusal(file_of("{}      ")), "accepted");
    EXPECT_EQ(refusal(file_of(R"({"__metadata__":{"format":"pt"}})")), "accepted");
    EXPECT_EQ(refusal(one(kFour + R"(,"note":{"x":[1,{}]})")), "accepted");
    EXPECT_EQ(refusal(one(R"("dtype":"F32","shape":[],"data_offsets":[0,4])")), "accepted");
    EXPECT_EQ(refusal(one(R"("dtype":"F32","shape":[5,0],"data_offsets":[0,0])", 0)), "accepted");
    EXPECT_EQ(refusal(one(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1],"data_offsets":[0,4])")), "accepted");
    EXPECT_EQ(refusal(file_of("{" + tensor(std::string(1024, 'n'), kFour) + "}", 4)), "accepted");
    EXPECT_EQ(refusal(file_of("{" + tensor("../x", kFour) + "}", 4)), "accepted");  // A name, never a path.
}

TEST(Safetensors, AMessageStaysShortWhateverTheNames) {
    const std::string name(1024, 'n');
    const std::string big = std::to_string(std::numeric_limits<std::int64_t>::max());
    const std::string shape = big + "," + big + "," + big + "," + big + "," + big + "," + big + "," + big + "," + big;
    const std::string json = "{" + tensor(name, R"("dtype":"F32","data_offsets":[0,4],"shape":[)" + shape + "]") + "}";
    const auto result = parse_safetensors_json(json, 4, std::string(5000, 'f') + ".safetensors");
    ASSERT_FALSE(result.ok());
    EXPECT_LT(result.error().detail.size(), 300u) << result.error().detail;
    EXPECT_NE(result.error().detail.find("overflows"), std::string::npos) << result.error().detail;
}

TEST(Safetensors, ReadsEntries) {
    const auto header = value_or_throw(parse(file_of(
        R"({"z":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},"__metadata__":{"k":"v"},"a":{"dtype":"I64","shape":[1],"data_offsets":[12,20]}})",
        20)));
    ASSERT_EQ(header.tensors.size(), 2u);
    EXPECT_EQ(header.tensors[0].name, "a");
    const TensorEntry* z = header.find("z");
    ASSERT_NE(z, nullptr);
    EXPECT_EQ(z->dtype, DType::BF16);
    EXPECT_EQ(z->shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(z->bytes(), 12u);
    EXPECT_EQ(header.find("b"), nullptr);
    EXPECT_EQ(header.metadata, (Metadata{{"k", "v"}}));
    EXPECT_EQ(header.data_bytes, 20u);
}

TEST(Safetensors, HeaderLimit) {
    const auto check = [](std::uint64_t length) {
        const std::string first = length_of(length);
        return safetensors_header_bytes(std::as_bytes(std::span(first.data(), first.size())), std::uint64_t{1} << 40,
                                        "x")
            .ok();
    };
    EXPECT_TRUE(check(limits::kSafetensorsHeaderBytes - 1));
    EXPECT_TRUE(check(limits::kSafetensorsHeaderBytes));
    EXPECT_FALSE(check(limits::kSafetensorsHeaderBytes + 1));
}

TEST(Safetensors, ALegalHeaderOfTheLargestSizeIsRead) {
    EXPECT_EQ(refusal(file_of("{}" + std::string(limits::kSafetensorsHeaderBytes - 2, ' '))), "accepted");
}

std::string header_of(std::size_t tensors) {
    std::string json = "{";
    for (std::size_t i = 0; i < tensors; ++i) {
        if (i > 0) json += ',';
        json += "\"" + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    }
    return json + "}";
}

TEST(Safetensors, TensorCountLimit) {
    EXPECT_TRUE(parse_safetensors_json(header_of(limits::kTensors), 0, "x").ok());
    const auto above = parse_safetensors_json(header_of(limits::kTensors + 1), 0, "x");
    ASSERT_FALSE(above.ok());
    EXPECT_NE(above.error().detail.find("more than 1,000,000 tensors"), std::string::npos);
}

TEST(SafetensorsPlan, IsWhatTheParserTakes) {
    std::vector<TensorEntry> tensors = {
        {"b", DType::U8, {3}, 0, 0},   {"a", DType::F64, {2}, 0, 0},           {"s", DType::F32, {}, 0, 0},
        {"e", DType::BF16, {0}, 0, 0}, {"\u00e9\"\\", DType::Bool, {1}, 0, 0}, {"c", DType::I64, {1, 1}, 0, 0}};
    const auto plan = value_or_throw(plan_safetensors(tensors, {{"note", "two\nlines"}}, "x"));
    EXPECT_EQ(plan.head.size() % 8, 0u);
    EXPECT_EQ(plan.file_bytes, plan.head.size() + 16 + 8 + 4 + 3 + 1);
    const auto header = value_or_throw(parse(plan.head + std::string(plan.file_bytes - plan.head.size(), '\0')));
    EXPECT_EQ(header.tensors.size(), tensors.size());
    EXPECT_EQ(header.metadata.at("note"), "two\nlines");
    for (const auto& entry : header.tensors) {
        EXPECT_EQ((header.data_begin + entry.begin) % bytes_of(entry.dtype), 0u) << entry.name;
    }
    EXPECT_NE(header.find("\u00e9\"\\"), nullptr);
}

TEST(SafetensorsPlan, RefusesWhatTheParserWouldRefuse) {
    const auto refused = [](TensorEntry entry) { return !plan_safetensors({std::move(entry)}, {}, "x").ok(); };
    EXPECT_TRUE(refused({"", DType::U8, {1}, 0, 0}));
    EXPECT_TRUE(refused({"__metadata__", DType::U8, {1}, 0, 0}));
    EXPECT_TRUE(refused({"\xff", DType::U8, {1}, 0, 0}));
    EXPECT_TRUE(refused({"t", DType::U8, std::vector<std::int64_t>(9, 1), 0, 0}));
    EXPECT_TRUE(refused({"t", DType::U8, {-1}, 0, 0}));
    EXPECT_TRUE(refused({"t", DType::F64, {std::int64_t{1} << 62}, 0, 0}));
    EXPECT_FALSE(plan_safetensors({{"t", DType::U8, {1}, 0, 0}, {"t", DType::U8, {1}, 0, 0}}, {}, "x").ok());
    EXPECT_FALSE(plan_safetensors({}, {{"k", "\xff"}}, "x").ok());
}

TEST(DTypes, HaveTheirNamesAndSizes) {
    for (const auto& [name, bytes] : std::vector<std::pair<const char*, std::size_t>>{{"F64", 8},
                                                                                      {"F32", 4},
                                                                                      {"F16", 2},
                                                                                      {"BF16", 2},
                                                                                      {"I64", 8},
                                                                                      {"I32", 4},
                                                                                      {"I16", 2},
                                                                                      {"I8", 1},
                                                                                      {"U8", 1},
                                                                                      {"BOOL", 1}}) {
        const auto dtype = dtype_from_text(name);
        ASSERT_TRUE(dtype) << name;
        EXPECT_STREQ(to_text(*dtype), name);
        EXPECT_EQ(bytes_of(*dtype), bytes) << name;
    }
    EXPECT_FALSE(dtype_from_text("U64"));
}

}  // namespace
}  // namespace mirror::formats
