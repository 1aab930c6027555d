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
        {network(aligned, 1, {1, 256}), "ONNX network of an unknown kind"},
        {network({1, 3, 192, 192}, 1, {1, 212}), "insightface's face landmarks (ONNX)"},
        {network({1, 3, 96, 96}, 1, {1, 3}), "insightface's gender and age (ONNX)"},
        {network({1, 3}, 9, {}), "ONNX network of an unknown kind"}};
    for (const auto& [bytes, kind] : expected) {
        const auto identity = identity_of(bytes);
        ASSERT_TRUE(identity.ok()) << kind << ": " << identity.error().detail;
        EXPECT_EQ(identity.value().kind, kind);
        EXPECT_EQ(identity.value().sha256, formats::sha256_hex(bytes));
    }
}

TEST(IdentifyFile, SaysWhoseVectorsTheyAreAndUnderWhichLicence) {
    const Sizes aligned{1, 3, 112, 112};
    const testing::TemporaryFolder folder;
    const auto named = [&](const std::string& name, const std::string& bytes) {
        std::ofstream(folder.path() / name, std::ios::binary) << bytes;
        return value_or_throw(identify_file(folder.path() / name));
    };
    const auto arcface = named("w600k_r50.onnx", network(aligned, 1, {1, 512}));
    EXPECT_EQ(arcface.id_pack, "buffalo_l/w600k_r50");
    EXPECT_NE(arcface.licence.find("non-commercial"), std::string::npos);
    EXPECT_NE(arcface.home.find("MIRROR_FACE_MODELS"), std::string::npos);
    EXPECT_EQ(named("glintr100.onnx", network(aligned, 1, {1, 512})).id_pack, "antelopev2/glintr100");
    EXPECT_EQ(named("mine.onnx", network(aligned, 1, {1, 512})).id_pack, "custom");
    const auto sface = named("w600k_r50.onnx", network(aligned, 1, {1, 128}));
    EXPECT_EQ(sface.id_pack, "sface");  // The content decides, not the name.
    EXPECT_EQ(sface.licence, "Apache-2.0");
    OnnxWriter yunet({1, 3, 640, 640});
    for (const char* name : {"loc", "conf", "iou"})
        yunet.output(yunet.convolution("input", 8, {{1, 1, 1}}, {0}), {}, name);
    EXPECT_EQ(named("a.onnx", yunet.bytes()).kind, "YuNet face detector (ONNX)");
    EXPECT_EQ(named("a.onnx", yunet.bytes()).licence, "MIT");
    const auto adapter = value_or_throw(identify_file(testing::tiny_checkpoint() / "adapter" / "adapter.safetensors"));
    EXPECT_EQ(adapter.id_pack, "random/tiny");
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
