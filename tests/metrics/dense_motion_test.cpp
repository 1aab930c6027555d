// Optical flow on pictures whose motion is known.

#include "engine/metrics/dense_motion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/result.h"
#include "tests/metrics/observed_clips.h"

namespace mirror::metrics::testing {
namespace {

// A soft texture, moved by `shift` pixels to the right.
Frame textured(int width, int height, double shift) {
    Frame frame{width, height, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const double at = x - shift;
            const double grey =
                127 + 50 * std::sin(at * 0.35) * std::cos(y * 0.3) + 40 * std::sin(at * 0.13 + y * 0.11);
            frame.rgb.insert(frame.rgb.end(), 3, static_cast<std::uint8_t>(std::lround(grey)));
        }
    }
    return frame;
}

TEST(FaceRegion, IsTheEnlargedUnion) {
    const auto clip = clip_of({face_at(0, 0, {1}), std::nullopt, face_at(100, 20, {1})});
    const FaceBox region = *face_region(clip);  // 200 x 120, so 20 and 12 more on each side.
    EXPECT_NEAR(region.x0, -20, 1e-9);
    EXPECT_NEAR(region.x1, 220, 1e-9);
    EXPECT_NEAR(region.y0, -12, 1e-9);
    EXPECT_NEAR(region.y1, 132, 1e-9);
    EXPECT_FALSE(face_region(clip_of({std::nullopt})));
}

TEST(FaceFlow, MeasuresAShiftInPixelsOfTheFace) {
    const FaceBox region{44, 44, 156, 156, 0, {}};  // 112 pixels: measured as it is.
    FaceFlow still(region), moving(region);
    for (int i = 0; i < 4; ++i) {
        still.add(textured(200, 200, 0));
        moving.add(textured(200, 200, 1.5 * i));
    }
    EXPECT_NEAR(*still.mean(), 0, 0.01);  // What the method makes of nothing.
    EXPECT_NEAR(*moving.mean(), 1.5, 0.15);
    EXPECT_FALSE(FaceFlow(region).mean());
    const FaceBox half{72, 72, 128, 128, 0, {}};  // 56 pixels enlarged to 112: twice as fast.
    FaceFlow closer(half);
    for (int i = 0; i < 4; ++i) closer.add(textured(200, 200, 1.5 * i));
    EXPECT_NEAR(*closer.mean(), 3.0, 0.4);
}

TEST(DynamicDegree, CountsPairsThatMove) {
    // 128 pixels: the threshold is 3 pixels a step. 17 frames at 8 a second ask for round(4 * 17 / 16) = 4 pairs.
    const auto score_of = [](int moving_steps, double step, double rate = 8) {
        DynamicDegree degree(rate);
        double shift = 0;
        for (int i = 0; i < 17; ++i) {
            degree.add(textured(128, 128, shift));
            if (i < moving_steps) shift += step;
        }
        return degree.score();
    };
    EXPECT_FALSE(score_of(0, 0).dynamic);
    EXPECT_NEAR(score_of(0, 0).speed, 0, 0.1);
    EXPECT_EQ(score_of(4, 5).moving_pairs, 4);
    EXPECT_TRUE(score_of(4, 5).dynamic);
    EXPECT_FALSE(score_of(3, 5).dynamic);
    EXPECT_FALSE(score_of(16, 2).dynamic);
    // At 16 frames a second every other frame counts, which moves twice as far.
    EXPECT_EQ(score_of(16, 2, 16).frames, 9);
    EXPECT_TRUE(score_of(16, 2, 16).dynamic);
}

TEST(DynamicDegree, TakesTheFastestTwentieth) {
    std::vector<float> speeds(100, 1.0f);
    speeds[7] = 10, speeds[50] = 20, speeds[99] = 30;
    EXPECT_NEAR(mean_of_fastest(speeds), (10 + 20 + 30 + 1 + 1) / 5.0, 1e-6);
    EXPECT_NEAR(mean_of_fastest({3.0f}), 3.0, 1e-6);
    EXPECT_EQ(mean_of_fastest({}), 0);
}

TEST(DynamicDegree, RefusesPicturesWithoutRoom) {
    DynamicDegree degree(8);
    EXPECT_THROW(degree.add(textured(12, 40, 0)), EngineError);
}

}  // namespace
}  // namespace mirror::metrics::testing
