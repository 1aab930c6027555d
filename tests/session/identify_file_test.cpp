// Networks for faces are told apart by what they want and give.

#include "engine/session/identify_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "engine/formats/sha256.h"
#include "tests/session/tiny_checkpoint.h"
#include "tests/support/onnx_writer.h"

namespace mirror::engine {
namespace {

using mirror::testing::OnnxWriter;
using Sizes = std::vector<std::int64_t>;

std::string network(const Sizes& input, int outputs, const Sizes& shape) {
    OnnxWriter writer(input);
    for (int i = 0; i < outputs; ++i) writer.output(writer.convolution("input", 8, {{1, 1, 1}}, {0}), shape);
    return writer.bytes();
}

Result<FileIdentity> identity_of(const std::string& bytes) {
    const testing::TemporaryFolder folder;
    const auto file = folder.path() / "thing.bin";
    std::ofstream(file, std::ios::binary) << bytes;
    return identify_file(file);
}

TEST(IdentifyFile, TellsFaceNetworksApart) {
    const Sizes open{1, 3, -1, -1}, aligned{1, 3, 112, 112};
    const std::vector<std::pair<std::string, std::string>> expected{
        {network(aligned, 1, {1, 512}), "ArcFace face recogniser (ONNX)"},
        {network(aligned, 1, {1, 128}), "SFace face recogniser (ONNX)"},
        {network(open, 9, {}), "SCRFD face detector with landmarks (ONNX)"},
        {network(open, 6, {}), "SCRFD face detector without landmarks (ONNX)"},
        {network(open, 2, {}), "ONNX network of an unknown kind"},
        {network({1, 3}, 9, {}), "ONNX network of an unknown kind"}};
    for (const auto& [bytes, kind] : expected) {
        const auto identity = identity_of(bytes);
        ASSERT_TRUE(identity.ok()) << kind << ": " << identity.error().detail;
        EXPECT_EQ(identity.value().kind, kind);
        EXPECT_EQ(identity.value().sha256, formats::sha256_hex(bytes));
    }
}

TEST(IdentifyFile, RefusesWhatItDoesNotKnow) {
    for (const std::string& bytes :
         {std::string(), std::string("hello"), std::string(4096, '\0'), std::string("PK\3\4")}) {
        const auto identity = identity_of(bytes);
        ASSERT_FALSE(identity.ok());
        EXPECT_NE(identity.error().detail.find("thing.bin"), std::string::npos) << identity.error().detail;
    }
    EXPECT_EQ(identify_file("/nowhere/at/all").error().code, ErrorCode::MissingFile);
}

}  // namespace
}  // namespace mirror::engine
