// The published recognisers on networks whose answers are known.

#include "engine/face/onnx_recognizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "engine/face/face_reader.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/scratch_folder.h"

namespace mirror::face {
namespace {

using mirror::testing::OnnxWriter;

constexpr std::size_t kShown = 128;  // So many numbers tell pixels, the rest is zero.

// Every eighth pixel of every eighth row, colour by colour: number i of the answer.
std::uint8_t pixel_of(const Frame& picture, std::size_t i) {
    const std::size_t pixel = i / 3;
    return picture.row(static_cast<int>(8 * (pixel / 14)))[3 * 8 * (pixel % 14) + i % 3];
}

// Answers with such pixels, after what `before` does to the picture.
template <typename Before>
std::string pixel_network(std::int64_t numbers, Before before, const std::vector<std::int64_t>& input) {
    OnnxWriter writer(input);
    const std::string fewer = writer.convolution(before(writer), 8, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {0, 0, 0});
    const std::string flat = writer.operation("Flatten", {writer.channels_last(fewer)}, {{"axis", std::int64_t{1}}});
    constexpr std::int64_t kInputs = 14 * 14 * 3;
    std::vector<float> weights(static_cast<std::size_t>(numbers * kInputs));
    for (std::size_t i = 0; i < kShown; ++i) weights[i * kInputs + i] = 1;
    const std::vector<float> bias(static_cast<std::size_t>(numbers));
    writer.output(
        writer.operation("Gemm", {flat, writer.constant({numbers, kInputs}, weights), writer.constant({numbers}, bias)},
                         {{"transB", std::int64_t{1}}}),
        {1, numbers});
    return writer.bytes();
}

const std::vector<std::int64_t> kOpen{-1, 3, 112, 112}, kFixed{1, 3, 112, 112};

std::string arcface() {
    return pixel_network(
        512, [](OnnxWriter&) { return std::string("input"); }, kOpen);
}

std::string arcface_with_normalization() {
    return pixel_network(
        512,
        [](OnnxWriter& writer) {
            const std::string less = writer.operation("Sub", {"input", writer.constant({1}, {127.5f})});
            return writer.operation("Mul", {less, writer.constant({1}, {1 / 128.0f})});
        },
        kOpen);
}

std::string sface() {
    return pixel_network(
        128, [](OnnxWriter&) { return std::string("input"); }, kFixed);
}

Frame coloured() {
    Frame frame{112, 112, std::vector<std::uint8_t>(112 * 112 * 3)};
    for (std::size_t i = 0; i < frame.rgb.size(); ++i) frame.rgb[i] = static_cast<std::uint8_t>(i * 37 % 251);
    return frame;
}

class OnnxRecognizers : public ::testing::Test {
protected:
    std::filesystem::path written(const std::string& name, const std::string& bytes) {
        std::filesystem::create_directories((folder_.path() / name).parent_path());
        std::ofstream(folder_.path() / name, std::ios::binary) << bytes;
        return folder_.path() / name;
    }
    std::vector<std::shared_ptr<InstalledRecognizer>> installed() {
        ::setenv("MIRROR_FACE_MODELS", folder_.path().c_str(), 1);
        auto found = make_face_reader()->recognizers();
        ::unsetenv("MIRROR_FACE_MODELS");
        return found;
    }

    mirror::testing::ScratchFolder folder_;
};

TEST_F(OnnxRecognizers, GivesArcFaceColoursBetweenMinusOneAndOne) {
    OnnxRecognizer recognizer(written("w600k_r50.onnx", arcface()), NetworkKind::ArcFace);
    EXPECT_EQ(recognizer.id_pack(), "buffalo_l/w600k_r50");
    const std::vector<Frame> faces{coloured(), Frame{112, 112, std::vector<std::uint8_t>(112 * 112 * 3, 255)}};
    const auto vectors = recognizer.embed(faces);
    ASSERT_TRUE(vectors.ok()) << vectors.error().detail;
    ASSERT_EQ(vectors.value().size(), 2u);
    ASSERT_EQ(vectors.value()[0].size(), 512u);
    for (std::size_t i = 0; i < kShown; ++i) {
        // Red first, and not normalised to length 1.
        EXPECT_NEAR(vectors.value()[0][i], (pixel_of(faces[0], i) - 127.5) / 127.5, 1e-5) << i;
        EXPECT_NEAR(vectors.value()[1][i], 1, 1e-6);
    }
    EXPECT_EQ(vectors.value()[0][400], 0);
}

TEST_F(OnnxRecognizers, GivesColoursAsTheyAreToNetworksThatNormalise) {
    OnnxRecognizer recognizer(written("other.onnx", arcface_with_normalization()), NetworkKind::ArcFace);
    EXPECT_EQ(recognizer.id_pack(), "custom");
    const std::vector<Frame> faces{coloured()};
    const auto vectors = recognizer.embed(faces);
    ASSERT_TRUE(vectors.ok()) << vectors.error().detail;
    for (std::size_t i = 0; i < kShown; ++i)
        EXPECT_NEAR(vectors.value()[0][i], (pixel_of(faces[0], i) - 127.5) / 128, 1e-5) << i;
}

TEST_F(OnnxRecognizers, AgreesWithOpenCvOnSFace) {
    const auto file = written("face_recognition_sface_2021dec.onnx", sface());
    OnnxRecognizer recognizer(file, NetworkKind::SFace);
    EXPECT_EQ(recognizer.id_pack(), "sface");
    const std::vector<Frame> faces{coloured()};
    const auto vectors = recognizer.embed(faces);
    ASSERT_TRUE(vectors.ok()) << vectors.error().detail;
    ASSERT_EQ(vectors.value()[0].size(), 128u);
    cv::Mat blue_first, expected;
    cv::cvtColor(cv::Mat(112, 112, CV_8UC3, const_cast<std::uint8_t*>(faces[0].rgb.data())), blue_first,
                 cv::COLOR_RGB2BGR);
    cv::FaceRecognizerSF::create(file.string(), "")->feature(blue_first, expected);
    ASSERT_EQ(expected.total(), 128u);
    for (int i = 0; i < 128; ++i)
        EXPECT_NEAR(vectors.value()[0][static_cast<std::size_t>(i)], expected.at<float>(i), 1e-4);
    EXPECT_NEAR(vectors.value()[0][0], pixel_of(faces[0], 0), 1e-4);
}

TEST_F(OnnxRecognizers, AreFoundByContentKnownNamesFirst) {
    written("aaa.onnx", arcface());
    written("glintr100.onnx", arcface());
    written("buffalo_l/w600k_r50.onnx", arcface());
    written("some_sface.onnx", sface());
    written("no.onnx", "no network");
    written("det.bin", arcface());
    std::vector<std::string> packs;
    for (const auto& each : installed()) packs.push_back(each->id_pack());
    EXPECT_EQ(packs, (std::vector<std::string>{"antelopev2/glintr100", "custom", "sface", "buffalo_l/w600k_r50"}));
}

TEST_F(OnnxRecognizers, NamesFilesThatAreNoRecogniser) {
    const std::vector<Frame> faces{coloured()};
    OnnxWriter wrong({1, 3, 112, 112});
    wrong.output(wrong.convolution("input", 8, {{1, 1, 1}}, {0}), {1, 512});  // It says 512 and gives 14 x 14.
    for (const std::string& bytes : {std::string(), std::string("no network"), wrong.bytes(), sface()}) {
        written("w600k_r50.onnx", bytes);
        OnnxRecognizer recognizer(folder_.path() / "w600k_r50.onnx", NetworkKind::ArcFace);
        const auto vectors = recognizer.embed(faces);
        ASSERT_FALSE(vectors.ok());
        EXPECT_NE(vectors.error().detail.find("w600k_r50.onnx"), std::string::npos) << vectors.error().detail;
        EXPECT_LT(vectors.error().detail.size(), 300u);
    }
    OnnxRecognizer gone(folder_.path() / "gone.onnx", NetworkKind::ArcFace);
    EXPECT_EQ(gone.embed(faces).error().code, ErrorCode::MissingFile);
    OnnxRecognizer whole(written("glintr100.onnx", arcface()), NetworkKind::ArcFace);
    EXPECT_FALSE(whole.embed(std::vector<Frame>{{1, 1, {1, 2, 3}}}).ok());
}

}  // namespace
}  // namespace mirror::face
