#include "engine/samplers/guidance.h"

#include <gtest/gtest.h>

#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

constexpr double kExact = 1e-12;  // Float64 on both sides.

TEST(Guidance, TheTimestepScheduleIsThePublishedOne) {
    const Guidance guidance{6.0, DynamicGuidance::Timestep};
    EXPECT_NEAR(guidance_weight(guidance, 0, 999, 50), 2.291487174551452, kExact);
    EXPECT_NEAR(guidance_weight(guidance, 1, 979, 50), 2.5435028667646318, kExact);
    EXPECT_NEAR(guidance_weight(guidance, 2, 959, 50), 6.974351832175483, kExact);
    EXPECT_NEAR(guidance_weight(guidance, 25, 499, 50), 1.5212656935026643, kExact);
    EXPECT_NEAR(guidance_weight(guidance, 48, 39, 50), 1.000003932038104, kExact);
    EXPECT_NEAR(guidance_weight(guidance, 49, 19, 50), 1.123397939968981, kExact);
}

TEST(Guidance, TheStepScheduleRisesSmoothly) {
    const Guidance guidance{6.0, DynamicGuidance::Step};
    EXPECT_EQ(guidance_weight(guidance, 0, 999, 50), 1.0);
    // Three decimals are written down.
    EXPECT_NEAR(guidance_weight(guidance, 40, 199, 50), 2.454, 5e-4);
    EXPECT_NEAR(guidance_weight(guidance, 49, 19, 50), 6.864, 5e-4);
    for (int step = 1; step < 50; ++step) {
        EXPECT_GE(guidance_weight(guidance, step, 0, 50), guidance_weight(guidance, step - 1, 0, 50));
    }
}

TEST(Guidance, WithoutAScheduleTheWeightIsTheScale) {
    EXPECT_EQ(guidance_weight({3.5, DynamicGuidance::Off}, 7, 100, 50), 3.5);
}

TEST(Guidance, AtOneOrLessThereIsOneRow) {
    EXPECT_EQ((Guidance{1.0, DynamicGuidance::Timestep}.rows()), 1);
    EXPECT_EQ((Guidance{0.0, DynamicGuidance::Off}.rows()), 1);
    EXPECT_EQ((Guidance{1.001, DynamicGuidance::Off}.rows()), 2);
}

TEST(Guidance, TheFirstHalfIsTheUnconditionalOne) {
    const at::Tensor without = at::full({1, 3}, 1.0);
    const at::Tensor with = at::full({1, 3}, 2.0);
    EXPECT_TRUE(at::equal(guide(at::cat({without, with}), 6.0), at::full({1, 3}, 7.0)));
    EXPECT_TRUE(at::equal(guide(at::cat({without, with}), 0.0), without));
}

}  // namespace
}  // namespace mirror::engine::testing
