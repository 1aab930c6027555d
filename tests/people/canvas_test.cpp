#include "engine/training/people/canvas.h"

#include <gtest/gtest.h>

#include <array>
#include <numbers>
#include <vector>

namespace mirror::people {
namespace {

std::vector<std::uint8_t> bytes_of(const Canvas& canvas) {
    std::vector<std::uint8_t> rgb(static_cast<std::size_t>(canvas.width()) * static_cast<std::size_t>(canvas.height()) *
                                  3);
    canvas.copy_to(rgb.data(), kWhite);
    return rgb;
}

// The painted area in pixels, of white on black.
double painted(const Canvas& canvas) {
    const auto rgb = bytes_of(canvas);
    double sum = 0;
    for (std::size_t at = 0; at < rgb.size(); at += 3) sum += rgb[at] / 255.0;
    return sum;
}

TEST(Canvas, ACircleCoversItsArea) {
    for (const Vec centre : {Vec{32, 32}, Vec{30.3, 33.7}}) {
        Canvas canvas(64, 64, kBlack);
        canvas.fill(circle(centre, 20), kWhite);
        EXPECT_NEAR(painted(canvas), std::numbers::pi * 400, 0.01 * std::numbers::pi * 400);
    }
}

TEST(Canvas, HalfAPixelIsHalfCovered) {
    Canvas canvas(8, 8, kBlack);
    canvas.fill(rectangle({2.5, 3}, {5.25, 4}), kWhite);
    const auto rgb = bytes_of(canvas);
    const std::array<int, 8> expected = {0, 0, 128, 255, 255, 64, 0, 0};
    for (std::size_t x = 0; x < 8; ++x) EXPECT_EQ(rgb[(3 * 8 + x) * 3], expected[x]) << x;
    EXPECT_EQ(rgb[(2 * 8 + 4) * 3], 0);
}

TEST(Canvas, ShapesMayLeaveThePictureOnEverySide) {
    Canvas canvas(16, 16, kBlack);
    canvas.fill(circle({8, 8}, 100), kWhite);
    EXPECT_NEAR(painted(canvas), 256, 1e-9);
    for (const Vec outside : {Vec{-60, 8}, Vec{70, 8}, Vec{8, -60}, Vec{8, 70}}) {
        Canvas empty(16, 16, kBlack);
        empty.fill(circle(outside, 10), kWhite);
        empty.stroke(circle(outside, 10), {2, 0, 0}, kWhite);
        EXPECT_EQ(painted(empty), 0);
    }
    Canvas half(16, 16, kBlack);
    half.fill(rectangle({-50, -50}, {8, 50}), kWhite);
    EXPECT_NEAR(painted(half), 128, 1e-6);
}

TEST(Canvas, ASlantedEdgeIsExact) {
    // Long flat edges cross many pixels of a row.
    Canvas canvas(64, 8, kBlack);
    canvas.fill(polygon({{0, 1}, {64, 5}, {64, 8}, {0, 8}}), kWhite);
    EXPECT_NEAR(painted(canvas), 64 * 5, 0.6);
}

TEST(Canvas, AStrokeHasItsWidth) {
    Canvas canvas(64, 32, kBlack);
    canvas.stroke(line({{12, 16}, {52, 16}}), {6, 0, 0}, kWhite);
    EXPECT_NEAR(painted(canvas), 40 * 6 + std::numbers::pi * 9, 3);
}

TEST(Canvas, NothingIsDrawnOutsideTheClip) {
    Canvas canvas(32, 32, kBlack);
    canvas.clip(rectangle({4, 4}, {12, 12}));
    canvas.fill(circle({16, 16}, 30), kWhite);
    EXPECT_NEAR(painted(canvas), 64, 1e-6);
    canvas.clear_clip();
    canvas.fill(circle({16, 16}, 30), kWhite);
    EXPECT_NEAR(painted(canvas), 1024, 1e-6);
}

TEST(Canvas, AGradientRunsFromOneColourToTheOther) {
    Canvas canvas(11, 1, kBlack);
    canvas.fill(rectangle({0, 0}, {11, 1}), Paint::linear({0.5, 0}, kBlack, {10.5, 0}, kWhite));
    const auto rgb = bytes_of(canvas);
    EXPECT_EQ(rgb[0], 0);
    EXPECT_NEAR(rgb[5 * 3], 128, 1);
    EXPECT_EQ(rgb[10 * 3], 255);
}

TEST(Canvas, ACornerOfASmoothPathStaysSharp) {
    Canvas canvas(32, 32, kBlack);
    canvas.fill(blob({{4, 4}, {4, 4}, {28, 4}, {28, 4}, {28, 28}, {28, 28}, {4, 28}, {4, 28}}), kWhite);
    EXPECT_NEAR(painted(canvas), 576, 1e-6);
}

}  // namespace
}  // namespace mirror::people
