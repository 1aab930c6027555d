// The shard index: plain file names only, everything named.

#include "engine/formats/shard_index.h"

#include <gtest/gtest.h>

#include "engine/core/limits.h"

namespace mirror::formats {
namespace {

std::string refusal(const std::string& text) {
    const auto result = parse_shard_index(text, "m.index.json");
    return result.ok() ? "accepted" : result.error().detail;
}

std::string mapping(const std::string& file) { return R"({"weight_map":{"t":")" + file + R"("}})"; }

struct BadIndex {
    std::string text;
    const char* fragment;
};

class RefusedIndex : public ::testing::TestWithParam<BadIndex> {};

TEST_P(RefusedIndex, IsNamedInOneLine) {
    const std::string sentence = refusal(GetParam().text);
    EXPECT_NE(sentence.find(GetParam().fragment), std::string::npos) << sentence;
    EXPECT_EQ(sentence.find("m.index.json"), 0u);
    EXPECT_EQ(sentence.find('\n'), std::string::npos);
    EXPECT_LT(sentence.size(), 300u);
}

const std::vector<BadIndex> kBadIndexes = {
    {"", "ends too early"},
    {"[]", "not an object"},
    {"{}", "weight_map is missing"},
    {R"({"weight_map":{}})", "weight_map is empty"},
    {R"({"weight_map":[]})", "weight_map is not an object"},
    {R"({"weight_map":{"t":1}})", "file of tensor t is not a string"},
    {R"({"weight_map":{"t":"a.safetensors","t":"a.safetensors"}})", "key t appears twice"},
    {R"({"weight_map":{"t":"a.safetensors"},"weight_map":{}})", "key weight_map appears twice"},
    {R"({"weight_map":{"":"a.safetensors"}})", "empty or too long"},
    {R"({"weight_map":{"t":"a.safetensors"}} x)", "something follows"},
    {"{\"weight_map\":{\"\xff\":\"a.safetensors\"}}", "not UTF-8"},
    {mapping("/etc/passwd"), "not a plain name"},
    {mapping("/etc/a.safetensors"), "not a plain name"},
    {mapping("../a.safetensors"), "not a plain name"},
    {mapping("a/../../a.safetensors"), "not a plain name"},
    {mapping("sub/a.safetensors"), "not a plain name"},
    {mapping(".."), "not a plain name"},
    {mapping(".hidden.safetensors"), "not a plain name"},
    {mapping(""), "not a plain name"},
    {mapping("a.bin"), "not a plain name"},
    {mapping("\\\\\\\\server\\\\a.safetensors"), "not a plain name"},
    {mapping("C:a.safetensors"), "not a plain name"},
    {mapping("a\\u0000.safetensors"), "not a plain name"},
    {mapping("a\\n.safetensors"), "a\\n.safetensors"},
    {mapping(std::string(300, 'a') + ".safetensors"), "not a plain name"},
};

INSTANTIATE_TEST_SUITE_P(ShardIndex, RefusedIndex, ::testing::ValuesIn(kBadIndexes));

TEST(ShardIndex, ReadsWhatItWrites) {
    const std::map<std::string, std::string> file_of = {{"b.weight", "m-00002-of-00002.safetensors"},
                                                        {"a.weight", "m-00001-of-00002.safetensors"}};
    const auto index = value_or_throw(parse_shard_index(shard_index_json(file_of, 12), "m"));
    EXPECT_EQ(index.file_of, file_of);
    EXPECT_EQ(index.files, (std::vector<std::string>{"m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"}));
}

TEST(ShardIndex, OtherKeysAreIgnored) {
    EXPECT_EQ(refusal(R"({"metadata":{"total_size":1,"x":[{}]},"more":null,"weight_map":{"t":"a.safetensors"}})"),
              "accepted");
}

TEST(ShardIndex, SizeLimit) {
    const std::string index = mapping("a.safetensors");
    EXPECT_EQ(refusal(index + std::string(limits::kShardIndexBytes - index.size(), ' ')), "accepted");
    EXPECT_NE(refusal(index + std::string(limits::kShardIndexBytes - index.size() + 1, ' ')).find("larger than 64 MiB"),
              std::string::npos);
}

}  // namespace
}  // namespace mirror::formats
