// SCRFD's decoding on networks whose answers are known: a face wherever the canvas has a pixel of the right colour.

#include "engine/face/scrfd_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "engine/core/result.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/scratch_folder.h"

namespace mirror::face {
namespace {

using mirror::testing::OnnxWriter;

constexpr std::array<double, 4> kBox{1.5, 2, 3, 4};

struct Heads {
    int levels = 3;
    int anchors = 2;
    bool landmarks = true;
    bool batch = false;  // A dimension of 1 in front of every output.
    bool open = false;   // The input's size is left open, and something is enlarged to a computed size.
};

std::string rows(OnnxWriter& writer, std::int64_t stride, const std::vector<std::vector<float>>& weights,
                 const std::vector<float>& bias, std::int64_t columns) {
    return writer.reshaped(writer.channels_last(writer.convolution("input", stride, weights, bias)), {-1, columns});
}

// A third of the picture's size, enlarged to the size that the picture divided by four has, and added as nothing.
std::string with_computed_size(OnnxWriter& writer) {
    using Sizes = std::vector<std::int64_t>;
    const std::string finer = writer.convolution("input", 4, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {0, 0, 0});
    const std::string coarser = writer.convolution("input", 8, {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, {0, 0, 0});
    const std::string size = writer.operation("Slice", {writer.operation("Shape", {finer}), writer.constant(Sizes{2}),
                                                        writer.constant(Sizes{4}), writer.constant(Sizes{0})});
    const std::string front =
        writer.operation("Slice", {writer.operation("Shape", {coarser}), writer.constant(Sizes{0}),
                                   writer.constant(Sizes{2}), writer.constant(Sizes{0})});
    const std::string target = writer.operation("Concat", {front, size}, {{"axis", std::int64_t{0}}});
    const std::string enlarged =
        writer.operation("Resize", {coarser, writer.constant({0}, {}), writer.constant({0}, {}), target},
                         {{"mode", std::string("nearest")},
                          {"coordinate_transformation_mode", std::string("asymmetric")},
                          {"nearest_mode", std::string("floor")}});
    return writer.operation("Add", {finer, enlarged});
}

// The score at a cell is 0.45 + 0.45 c (the second anchor: 0.4 + 0.4 c), with c the colour of the cell's corner pixel:
// red for stride 8, green for 16, blue for 32, red for 64 and 128.
std::string network(const Heads& heads) {
    OnnxWriter writer(heads.open ? std::vector<std::int64_t>{-1, 3, -1, -1}
                                 : std::vector<std::int64_t>{1, 3, 640, 640});
    const std::string from = heads.open ? with_computed_size(writer) : "input";
    const std::int64_t shrunk = heads.open ? 4 : 1;
    const auto head = [&](std::int64_t stride, std::int64_t columns, const std::vector<std::vector<float>>& weights,
                          const std::vector<float>& bias) {
        const auto rows = writer.channels_last(writer.convolution(from, stride / shrunk, weights, bias));
        writer.output(writer.reshaped(
            rows, heads.batch ? std::vector<std::int64_t>{1, -1, columns} : std::vector<std::int64_t>{-1, columns}));
    };
    for (int level = 0; level < heads.levels; ++level) {
        const std::int64_t stride = 8 << level;
        std::vector<std::vector<float>> score_weights, box_weights, point_weights;
        std::vector<float> score_bias, box_bias, point_bias;
        for (int anchor = 0; anchor < heads.anchors; ++anchor) {
            const float size = anchor == 0 ? 0.45f : 0.4f;
            score_weights.emplace_back(3, 0.0f)[level < 3 ? static_cast<std::size_t>(level) : 0] = size;
            score_bias.push_back(size);
            for (const double distance : kBox) {
                box_weights.emplace_back(3, 0.0f);
                box_bias.push_back(static_cast<float>(distance));
            }
            for (int i = 0; i < 10; ++i) {
                point_weights.emplace_back(3, 0.0f);
                point_bias.push_back(static_cast<float>(i) / 4);
            }
        }
        head(stride, 1, score_weights, score_bias);
        head(stride, 4, box_weights, box_bias);
        if (heads.landmarks) head(stride, 10, point_weights, point_bias);
    }
    return writer.bytes();
}

class Scrfd : public ::testing::Test {
protected:
    ScrfdDetector detector(const std::string& bytes) {
        const auto file = folder_.path() / "det.onnx";
        std::ofstream(file, std::ios::binary) << bytes;
        return {file, [](const Frame&, const FaceBox& face) { return std::array<Point, 5>{{{face.x0, face.y0}}}; }};
    }

    static Frame black(int width, int height) {
        return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
    }
    static void paint(Frame& picture, int x, int y, int side, int channel, std::uint8_t value = 255) {
        for (int row = y; row < y + side; ++row)
            for (int column = x; column < x + side; ++column) picture.row(row)[3 * column + channel] = value;
    }
    static void expect_box(const FaceBox& face, double x, double y, double stride) {
        EXPECT_NEAR(face.x0, x - kBox[0] * stride, 1e-3);
        EXPECT_NEAR(face.y0, y - kBox[1] * stride, 1e-3);
        EXPECT_NEAR(face.x1, x + kBox[2] * stride, 1e-3);
        EXPECT_NEAR(face.y1, y + kBox[3] * stride, 1e-3);
        for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_NEAR(face.landmarks[i].x, x + stride * static_cast<double>(2 * i) / 4, 1e-3);
            EXPECT_NEAR(face.landmarks[i].y, y + stride * static_cast<double>(2 * i + 1) / 4, 1e-3);
        }
    }

    mirror::testing::ScratchFolder folder_;
};

TEST_F(Scrfd, DecodesEveryStride) {
    ScrfdDetector scrfd = detector(network({}));
    for (int level = 0; level < 3; ++level) {
        const int stride = 8 << level;
        Frame picture = black(640, 640);
        paint(picture, 160, 96, 1, level);
        const auto faces = scrfd.detect(picture);
        ASSERT_EQ(faces.size(), 1u) << stride;  // The second anchor has the same box and a lower score.
        expect_box(faces[0], 160, 96, stride);
        EXPECT_NEAR(faces[0].score, 0.45 + 0.45 * 127.5 / 128, 1e-5);
    }
}

TEST_F(Scrfd, ReadsTheOtherExports) {
    Frame picture = black(640, 640);
    paint(picture, 160, 80, 1, 0);
    for (const Heads& heads : {Heads{3, 1, true, false}, Heads{3, 2, true, true}, Heads{3, 2, false, false}}) {
        const auto faces = detector(network(heads)).detect(picture);
        ASSERT_EQ(faces.size(), 1u);
        EXPECT_NEAR(faces[0].x0, 148, 1e-3);
        EXPECT_NEAR(faces[0].y0, 64, 1e-3);
        EXPECT_NEAR(faces[0].x1, 184, 1e-3);
        EXPECT_NEAR(faces[0].y1, 112, 1e-3);
        const Point first = heads.landmarks ? Point{160, 82} : Point{faces[0].x0, faces[0].y0};
        EXPECT_EQ(faces[0].landmarks[0], first);
    }
    // Red stands for 8, 64 and 128 here, and (256, 256) is a corner of all of them.
    Frame five = black(640, 640);
    paint(five, 256, 256, 1, 0);
    EXPECT_EQ(detector(network({5, 1, true, false})).detect(five).size(), 3u);
}

TEST_F(Scrfd, PutsThePictureInTheUpperLeftCorner) {
    ScrfdDetector scrfd = detector(network({}));
    Frame wide = black(1280, 640);
    paint(wide, 312, 152, 24, 0);  // Around (320, 160), which is (160, 80) on the canvas.
    const auto faces = scrfd.detect(wide);
    ASSERT_FALSE(faces.empty());
    const auto at = std::find_if(faces.begin(), faces.end(), [](const FaceBox& face) { return face.x0 == 296; });
    ASSERT_NE(at, faces.end());
    expect_box(*at, 320, 160, 16);
    Frame tall = black(320, 1280);
    paint(tall, 296, 1256, 24, 0);
    for (const FaceBox& face : scrfd.detect(tall)) {
        EXPECT_LE(face.x1, 320);
        EXPECT_LE(face.y1, 1280);
    }
}

TEST_F(Scrfd, KeepsScoresFromOneHalf) {
    ScrfdDetector scrfd = detector(network({}));
    Frame picture = black(640, 640);
    paint(picture, 160, 80, 1, 0, 141);
    EXPECT_TRUE(scrfd.detect(picture).empty());
    paint(picture, 160, 80, 1, 0, 142);
    EXPECT_EQ(scrfd.detect(picture).size(), 1u);
}

TEST_F(Scrfd, LooksAgainAtSmallerSizes) {
    ScrfdDetector scrfd = detector(network({}));
    Frame picture = black(640, 640);
    paint(picture, 145, 145, 7, 0);  // Between the corners 144 and 152; at 576 pixels it covers the corner 136.
    const auto faces = scrfd.detect(picture);
    ASSERT_EQ(faces.size(), 1u);
    EXPECT_NEAR(faces[0].x0, (136 - 12) / 0.9, 1e-3);
    EXPECT_NEAR(faces[0].y0, (136 - 16) / 0.9, 1e-3);
    EXPECT_NEAR(faces[0].x1, (136 + 24) / 0.9, 1e-3);
    EXPECT_NEAR(faces[0].landmarks[1].x, (136 + 4) / 0.9, 1e-3);
    EXPECT_TRUE(scrfd.detect(black(640, 640)).empty());
}

TEST_F(Scrfd, IsTheOnlyDetectorWhereItIsInstalled) {
    EXPECT_EQ(make_face_detectors().size(), 3u);
    std::ofstream(folder_.path() / "det_10g.onnx", std::ios::binary) << network({});
    ::setenv("MIRROR_FACE_MODELS", folder_.path().c_str(), 1);
    const auto detectors = make_face_detectors();
    ::unsetenv("MIRROR_FACE_MODELS");
    ASSERT_EQ(detectors.size(), 2u);
    Frame picture = black(640, 640);
    paint(picture, 160, 80, 1, 0);
    const auto faces = find_faces(detectors, picture);
    ASSERT_EQ(faces.size(), 1u);
    EXPECT_NEAR(faces[0].x0, 148, 1e-3);
}

TEST_F(Scrfd, CountsEdgesWhenItComparesBoxes) {
    const FaceBox a{0, 0, 3, 3, 0.9, {}}, b{2, 0, 5, 3, 0.8, {}}, c{40, 40, 50, 50, 0.95, {}};
    // 8 of 24 pixels are shared; without the edges it would be 3 of 15.
    EXPECT_EQ(keep_best({b, a, c}, {0.3, 1}).size(), 2u);
    EXPECT_EQ(keep_best({b, a, c}, {0.34, 1}).size(), 3u);
    EXPECT_EQ(keep_best({b, a, c}, {0.21, 0}).size(), 3u);
    EXPECT_EQ(keep_best({b, a, c}, {0.19, 0}).size(), 2u);
    EXPECT_EQ(keep_best({b, a, c}, {0.3, 1})[0].score, 0.95);
    EXPECT_EQ(keep_best({b, a, c}, {0.3, 1})[1].score, 0.9);
    EXPECT_TRUE(keep_best({}, {0.4, 1}).empty());
}

// Published detectors leave the sizes open and compute the size to enlarge a map to out of another map's.
TEST_F(Scrfd, ReadsNetworksThatComputeWithSizes) {
    ScrfdDetector scrfd = detector(network({3, 2, true, false, true}));
    for (int level = 0; level < 3; ++level) {
        Frame picture = black(640, 640);
        paint(picture, 160, 96, 1, level);
        const auto faces = scrfd.detect(picture);
        ASSERT_EQ(faces.size(), 1u) << level;
        expect_box(faces[0], 160, 96, 8 << level);
    }
}

TEST_F(Scrfd, RanksFacesByAreaAndDistanceFromTheCentre) {
    std::ofstream(folder_.path() / "det_10g.onnx", std::ios::binary) << network({});
    ::setenv("MIRROR_FACE_MODELS", folder_.path().c_str(), 1);
    const auto detectors = make_face_detectors();
    ::unsetenv("MIRROR_FACE_MODELS");
    Frame picture = black(640, 640);
    paint(picture, 32, 32, 1, 2);         // 144 x 192, 421 pixels from the centre.
    paint(picture, 320, 320, 1, 0, 250);  // 36 x 48 in the middle, with a lower score.
    const auto faces = find_faces(detectors, picture);
    ASSERT_EQ(faces.size(), 2u);
    EXPECT_NEAR(faces[0].x0, 320 - 12, 1e-3);
    EXPECT_LT(faces[0].score, faces[1].score);
    // What lies beyond the picture is cut off.
    EXPECT_EQ(faces[1].x0, 0);
    EXPECT_EQ(faces[1].y0, 0);
}

TEST_F(Scrfd, AddsAGreyMarginAtLast) {
    // A face is where the corner of a cell of 32 pixels is not bright: the picture is white, so only the margin is one.
    OnnxWriter writer({1, 3, 640, 640});
    for (const std::int64_t stride : {8, 16, 32}) {
        const float weight = stride == 32 ? -1 : 0;
        writer.output(rows(writer, stride, {{weight, 0, 0}}, {stride == 32 ? 0.6f : 0}, 1));
        writer.output(rows(writer, stride, std::vector<std::vector<float>>(4, {0, 0, 0}), {0, 0, 12, 12}, 4));
    }
    ScrfdDetector scrfd = detector(writer.bytes());
    const Frame white{320, 320, std::vector<std::uint8_t>(320 * 320 * 3, 255)};
    const auto faces = scrfd.detect(white);
    ASSERT_FALSE(faces.empty());
    for (const FaceBox& face : faces) {
        EXPECT_GE(face.x0, 0);
        EXPECT_LE(face.x1, 320);
        EXPECT_LE(face.y1, 320);
    }
}

TEST_F(Scrfd, NamesFilesThatAreNoDetector) {
    const Frame picture = black(64, 64);
    OnnxWriter other({1, 3, 640, 640});
    other.output(other.convolution("input", 8, {{1, 1, 1}}, {0}));
    for (const std::string& bytes : {std::string(), std::string("no network"), network({4, 2, true, false}),
                                     network({2, 2, true, false}), other.bytes()}) {
        try {
            detector(bytes).detect(picture);
            ADD_FAILURE() << "was taken";
        } catch (const EngineError& error) {
            EXPECT_NE(std::string(error.what()).find("det.onnx"), std::string::npos) << error.what();
        }
    }
}

}  // namespace
}  // namespace mirror::face
