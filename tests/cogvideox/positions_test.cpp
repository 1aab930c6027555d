#include "engine/backbones/cogvideox/positions.h"

#include <gtest/gtest.h>

#include "engine/core/result.h"
#include "tests/cogvideox/tiny_models.h"

namespace mirror::engine::testing {
namespace {

using cogvideox::CropRegion;
using cogvideox::TransformerConfig;

// Float32 sines of arguments up to 48; the values are written down with six decimals.
constexpr double kTolerance = 2e-6;

double sum_of(const at::Tensor& tensor) { return tensor.sum(at::kDouble).item<double>(); }

double abs_sum_of(const at::Tensor& tensor) { return tensor.abs().sum(at::kDouble).item<double>(); }

void expect_value(const at::Tensor& table, std::int64_t row, std::int64_t column, double value) {
    EXPECT_NEAR(table[row][column].item<double>(), value, kTolerance) << "row " << row << ", column " << column;
}

TransformerConfig rotary_5b() {
    TransformerConfig config;
    config.use_rotary_positional_embeddings = true;
    return config;
}

TEST(CogVideoXPositions, RotaryAtTheTrainedSizeMatchesThePublishedTable) {
    const RotaryTable table = rotary_positions(rotary_5b(), {13, 60, 90}, at::kCPU);
    ASSERT_EQ(table.cos.sizes(), (at::IntArrayRef{17550, 64}));
    ASSERT_EQ(table.cos.scalar_type(), at::kFloat);
    EXPECT_NEAR(sum_of(table.cos), 721837.8537, 0.05);
    EXPECT_NEAR(abs_sum_of(table.cos), 956502.4019, 0.05);
    EXPECT_NEAR(sum_of(table.sin), 181623.8473, 0.05);
    EXPECT_NEAR(abs_sum_of(table.sin), 339092.2780, 0.05);
    expect_value(table.cos, 1, 40, 0.540302);
    expect_value(table.cos, 1, 41, 0.540302);  // Every frequency twice in a row.
    expect_value(table.cos, 1, 42, 0.894198);
    expect_value(table.sin, 1, 40, 0.841471);
    expect_value(table.sin, 1, 63, 0.000215);
    expect_value(table.cos, 45, 16, 0.540302);
    expect_value(table.cos, 45, 18, 0.894198);
    expect_value(table.cos, 1350, 0, 0.540302);
    expect_value(table.cos, 1350, 2, 0.950415);
    expect_value(table.sin, 1350, 14, 0.000316);
    expect_value(table.cos, 17549, 0, 0.843854);
    expect_value(table.cos, 17549, 16, -0.748058);
    expect_value(table.cos, 17549, 40, 0.999843);
    expect_value(table.sin, 17549, 42, 0.999997);
}

TEST(CogVideoXPositions, RotaryOfASquareMatchesThePublishedTable) {
    const RotaryTable table = rotary_positions(rotary_5b(), {13, 60, 60}, at::kCPU);
    EXPECT_NEAR(sum_of(table.cos), 473535.4327, 0.05);
    EXPECT_NEAR(sum_of(table.sin), 121749.8840, 0.05);
}

TEST(CogVideoXPositions, RotaryOfOnePointFiveCountsFromZero) {
    TransformerConfig config = rotary_5b();
    config.patch_size_t = 2;
    for (const std::int64_t side : {300, 170}) {  // Both have been published; the trained size is only a limit.
        config.sample_height = side;
        config.sample_width = side;
        const RotaryTable table = rotary_positions(config, {22, 96, 170}, at::kCPU);
        ASSERT_EQ(table.cos.sizes(), (at::IntArrayRef{44880, 64}));
        EXPECT_NEAR(sum_of(table.cos), 1707123.8668, 0.1);
        EXPECT_NEAR(sum_of(table.sin), 501364.7013, 0.1);
    }
    EXPECT_THROW(rotary_positions(config, {22, 172, 170}, at::kCPU), EngineError);
}

TEST(CogVideoXPositions, CropRegionsRoundHalvesToEven) {
    EXPECT_EQ(cogvideox::crop_region(30, 45, 30, 45), (CropRegion{0, 0, 30, 45}));
    EXPECT_EQ(cogvideox::crop_region(30, 30, 30, 45), (CropRegion{0, 8, 30, 38}));   // 7.5 -> 8
    EXPECT_EQ(cogvideox::crop_region(45, 30, 30, 45), (CropRegion{0, 12, 30, 32}));  // 12.5 -> 12
    EXPECT_EQ(cogvideox::crop_region(6, 4, 4, 4), (CropRegion{0, 0, 4, 3}));         // 2.67 -> 3, then 0.5 -> 0
}

TEST(CogVideoXPositions, ACroppedAxisIsScaledFromZero) {
    const RotaryTable table = rotary_positions(rotary_5b(), {1, 60, 60}, at::kCPU);
    // The first frequency of the columns is 1, so its cosine tells the position: 8 at the left, 38 * 29 / 30 at the
    // right.
    EXPECT_NEAR(table.cos[0][40].item<double>(), std::cos(8.0), kTolerance);
    EXPECT_NEAR(table.cos[29][40].item<double>(), std::cos(38.0 * 29 / 30), 1e-5);
    EXPECT_NEAR(table.cos[1][40].item<double>(), std::cos(8.0 + (38.0 * 29 / 30 - 8.0) / 29), 1e-5);
}

TEST(CogVideoXPositions, SinesOfTwoBillionMatchThePublishedTable) {
    const TransformerConfig config;
    const at::Tensor table = sincos_positions(config, {13, 60, 90}, at::kCPU);
    ASSERT_EQ(table.sizes(), (at::IntArrayRef{1, 226 + 17550, 1920}));
    ASSERT_EQ(table.scalar_type(), at::kDouble);
    EXPECT_EQ(abs_sum_of(table.narrow(1, 0, 226)), 0.0);
    const at::Tensor video = table[0].narrow(0, 226, 17550);
    EXPECT_NEAR(sum_of(video), 15167673.3280, 0.01);
    EXPECT_NEAR(abs_sum_of(video), 18987505.1718, 0.01);
    expect_value(video, 1, 480, 0.508407);  // Columns before rows.
    expect_value(video, 1, 481, 0.496760);
    expect_value(video, 1, 840, 0.861117);
    expect_value(video, 45, 1200, 0.508407);
    expect_value(video, 45, 1560, 0.861117);
    expect_value(video, 1350, 0, 0.841471);
    expect_value(video, 1350, 240, 0.540302);
}

TEST(CogVideoXPositions, TheTimeSinusoidStartsWithCosines) {
    const TransformerConfig config;
    const at::Tensor waves = time_sinusoid(at::tensor({999, 0}, at::kLong), 1920, config);
    ASSERT_EQ(waves.sizes(), (at::IntArrayRef{2, 1920}));
    EXPECT_NEAR(sum_of(waves), 1294.016438, 1e-3);
    EXPECT_NEAR(abs_sum_of(waves), 2172.943944, 1e-3);
    expect_value(waves, 0, 0, 0.999650);
    expect_value(waves, 0, 1, -0.990163);
    // Four decimals are written down.
    EXPECT_NEAR(waves[0][960].item<double>(), -0.0265, 1e-4);
    EXPECT_NEAR(waves[0][961].item<double>(), 0.1399, 1e-4);
    EXPECT_NEAR(waves[0][962].item<double>(), -0.1625, 1e-4);

    TransformerConfig flipped = config;
    flipped.flip_sin_to_cos = false;
    const at::Tensor sines_first = time_sinusoid(at::tensor({999, 0}, at::kLong), 1920, flipped);
    EXPECT_TRUE(at::equal(sines_first, waves.roll(960, 1)));
}

}  // namespace
}  // namespace mirror::engine::testing
