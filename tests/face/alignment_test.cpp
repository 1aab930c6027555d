#include "engine/face/alignment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/face/resize.h"

namespace mirror::face {
namespace {

const std::array<Point, 5> golden_landmarks{{{120, 150}, {200, 145}, {165, 195}, {130, 240}, {195, 236}}};

Frame pattern(int width, int height) {
    Frame frame{width, height, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c)
                frame.rgb.push_back(static_cast<std::uint8_t>((x * 7 + y * 13 + c * 50 + (x * y) % 31 * 5) % 256));
    return frame;
}

// FNV-1a.
std::uint64_t hash_of(const Frame& frame) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::uint8_t value : frame.rgb) hash = (hash ^ value) * 0x100000001b3u;
    return hash;
}

TEST(Alignment, FitsTheGoldenLandmarks) {
    const Result<Similarity> map = fit_similarity(golden_landmarks, alignment_template(112));
    ASSERT_TRUE(map.ok());
    EXPECT_NEAR(map.value().a, 0.445996915, 1e-9);
    EXPECT_NEAR(map.value().b, 0.015801257, 1e-9);
    EXPECT_NEAR(map.value().tx, -13.172537529, 1e-8);
    EXPECT_NEAR(map.value().ty, -16.825627624, 1e-8);
    const std::array<Point, 5> mapped{
        {{37.9769, 51.9701}, {73.7357, 51.0042}, {57.3357, 72.7510}, {41.0148, 92.2678}, {70.0678, 91.5109}}};
    for (std::size_t i = 0; i < mapped.size(); ++i) {
        EXPECT_NEAR(map.value()(golden_landmarks[i]).x, mapped[i].x, 1e-4);
        EXPECT_NEAR(map.value()(golden_landmarks[i]).y, mapped[i].y, 1e-4);
    }
}

TEST(Alignment, ScalesTheTemplate) {
    EXPECT_DOUBLE_EQ(alignment_template(224)[0].x, 2 * 38.2946);
    EXPECT_DOUBLE_EQ(alignment_template(128)[0].x, 38.2946 + 8);
    EXPECT_DOUBLE_EQ(alignment_template(256)[4].x, 2 * (70.7299 + 8));
    EXPECT_DOUBLE_EQ(alignment_template(256)[4].y, 2 * 92.2041);
}

TEST(Alignment, RefusesLandmarksWithoutExtent) {
    std::array<Point, 5> same;
    same.fill({3, 4});
    EXPECT_FALSE(fit_similarity(same, alignment_template(112)).ok());
    std::array<Point, 5> missing = golden_landmarks;
    missing[2].x = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(fit_similarity(missing, alignment_template(112)).ok());
}

TEST(Alignment, WarpShiftsByWholePixelsExactlyAndFillsBlack) {
    const Frame picture = pattern(20, 10);
    const Frame moved = warp(picture, {1, 0, 3, 2}, 20, 10);
    EXPECT_EQ(moved.row(2)[3 * 3], picture.row(0)[0]);
    EXPECT_EQ(moved.row(9)[3 * 19 + 1], picture.row(7)[3 * 16 + 1]);
    EXPECT_EQ(moved.row(1)[3 * 10], 0);
    EXPECT_EQ(moved.row(5)[3 * 2], 0);
}

TEST(Alignment, WarpReachesIntoVeryWidePictures) {
    Frame wide{40000, 4, std::vector<std::uint8_t>(40000 * 4 * 3, 9)};
    for (int y = 0; y < 4; ++y) wide.row(y)[3 * 39000] = 200;
    const Frame part = warp(wide, {1, 0, -38990, 0}, 20, 4);
    EXPECT_EQ(part.row(1)[3 * 10], 200);
    EXPECT_EQ(part.row(1)[3 * 9], 9);
}

TEST(Alignment, AlignedLandmarksLandOnTheTemplate) {
    Frame picture{320, 320, std::vector<std::uint8_t>(320 * 320 * 3, 0)};
    for (int dy = -3; dy <= 3; ++dy)
        for (int dx = -3; dx <= 3; ++dx) picture.row(195 + dy)[3 * (165 + dx)] = 255;  // The nose.
    const Result<Frame> face = align_face(picture, golden_landmarks, 112);
    ASSERT_TRUE(face.ok());
    EXPECT_EQ(face.value().width, 112);
    EXPECT_GT(face.value().row(73)[3 * 57], 200);
    EXPECT_EQ(face.value().row(60)[3 * 57], 0);
}

struct WindowCase {
    FaceBox face;
    double expand;
    Window window;
};

TEST(Crops, SquareWindowStaysInsideWhereItCan) {
    const Frame picture{200, 100, {}};
    const auto box = [](double x0, double y0, double x1, double y1) { return FaceBox{x0, y0, x1, y1, 1, {}}; };
    const std::vector<WindowCase> cases{
        {box(90, 40, 110, 60), 2.0, {80, 30, 40}},  // In the middle.
        {box(0, 0, 20, 10), 2.0, {0, 0, 40}},       // Shifted from the corner.
        {box(190, 90, 200, 100), 2.0, {180, 80, 20}},
        {box(80, 20, 140, 80), 2.0, {50, -10, 120}},  // Higher than the picture: as close as it gets.
        {box(0, 0, 200, 100), 2.0, {-100, -150, 400}}};
    for (const WindowCase& c : cases) {
        const Result<Window> window = square_window(picture, c.face, c.expand);
        ASSERT_TRUE(window.ok());
        EXPECT_EQ(window.value().side, c.window.side);
        EXPECT_EQ(window.value().x, c.window.x) << c.window.side;
        EXPECT_EQ(window.value().y, c.window.y) << c.window.side;
    }
    for (const double expand : {0.0, -1.0, 1e9, std::numeric_limits<double>::quiet_NaN()})
        EXPECT_FALSE(square_window(picture, box(10, 10, 30, 30), expand).ok());
}

TEST(Crops, CutPadsWithBlack) {
    const Frame picture = pattern(6, 4);
    const Frame part = cut(picture, {-2, -1, 8});
    EXPECT_EQ(part.row(0)[3 * 4], 0);
    EXPECT_EQ(part.row(1)[3 * 1], 0);
    EXPECT_EQ(part.row(1)[3 * 2], picture.row(0)[0]);
    EXPECT_EQ(part.row(4)[3 * 7 + 2], picture.row(3)[3 * 5 + 2]);
}

struct ResizeCase {
    int width, height, to_width, to_height;
    std::uint64_t hash;
};

// Hashes of what Pillow 13 makes of the same pattern (Image.resize with BICUBIC).
TEST(Crops, ResizesAsPillowDoes) {
    const std::vector<ResizeCase> cases{
        {23, 17, 8, 8, 0x7aaa6c8124197e6b},     {23, 17, 31, 40, 0x76728c78af9ed7a0},
        {23, 17, 23, 9, 0x7afd29fcf6eceebf},    {23, 17, 5, 17, 0x6823928a68f3e4c1},
        {64, 64, 64, 64, 0x15e890ef19a63b22},   {301, 199, 28, 28, 0xb3fd6144cf313ff7},
        {40, 90, 224, 224, 0x7dd03ff831238005}, {112, 112, 224, 224, 0xf36bc9a1b86149ed},
        {2, 3, 1, 1, 0x6bc56818becc3196},       {1, 1, 7, 5, 0x4ff3e2f869859601}};
    for (const ResizeCase& c : cases) {
        const Frame resized = resize_bicubic(pattern(c.width, c.height), c.to_width, c.to_height);
        EXPECT_EQ(resized.width, c.to_width);
        EXPECT_EQ(resized.height, c.to_height);
        EXPECT_EQ(hash_of(resized), c.hash) << c.width << " x " << c.height << " to " << c.to_width;
    }
}

// Hashes of the shorter side resized and the middle cropped with Pillow, as transformers' CLIP preprocessing does.
TEST(Crops, CentresAsClipDoes) {
    EXPECT_EQ(hash_of(resize_and_centre(pattern(90, 61), 28)), 0x9613c2a598036f59u);
    EXPECT_EQ(hash_of(resize_and_centre(pattern(61, 90), 28)), 0x597153c2fa42ba8eu);
    EXPECT_EQ(hash_of(resize_and_centre(pattern(50, 50), 32)), 0x09054a4af3291d3du);
}

TEST(Crops, EveryKindHasTheSizeAsked) {
    const Frame picture = pattern(320, 300);
    const FaceBox face{110, 130, 210, 250, 1, golden_landmarks};
    for (const ReferenceCrop crop : {ReferenceCrop::SquareFace, ReferenceCrop::Whole, ReferenceCrop::Arcface112}) {
        const Result<Frame> result = reference_crop(picture, face, crop, 2.0, 96);
        ASSERT_TRUE(result.ok());
        EXPECT_EQ(result.value().width, 96);
        EXPECT_EQ(result.value().rgb.size(), 96u * 96u * 3u);
    }
}

}  // namespace
}  // namespace mirror::face
