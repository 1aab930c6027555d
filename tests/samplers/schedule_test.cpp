#include "engine/samplers/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "engine/core/result.h"
#include "engine/weights/config_reader.h"
#include "tests/samplers/published_schedules.h"

namespace mirror::engine::testing {
namespace {

using Timesteps = std::vector<std::int64_t>;

Timesteps timesteps(int steps) { return Schedule(published_schedule(1.0), steps).timesteps(); }

TEST(Schedule, TablesMatchThePublishedOnes) {
    const std::vector<double> shifted = cumulative_alphas(published_schedule(3.0));
    const std::vector<double> plain = cumulative_alphas(published_schedule(1.0));
    ASSERT_EQ(shifted.size(), 1000u);
    constexpr double kTolerance = 1e-12;  // Float64 on both sides.
    EXPECT_NEAR(shifted[0], 0.9974543276430069, kTolerance);
    EXPECT_NEAR(shifted[1], 0.9948006264269799, kTolerance);
    EXPECT_NEAR(shifted[19], 0.9465729792377547, kTolerance);
    EXPECT_NEAR(shifted[39], 0.8923313385272599, kTolerance);
    EXPECT_NEAR(shifted[100], 0.7282419323134857, kTolerance);
    EXPECT_NEAR(shifted[499], 0.09596956169073545, kTolerance);
    EXPECT_NEAR(shifted[979], 2.7194360400217723e-05, kTolerance);
    EXPECT_NEAR(shifted[998], 6.23078846739516e-08, kTolerance);
    EXPECT_NEAR(std::accumulate(shifted.begin(), shifted.end(), 0.0), 234.6843807138224, 1e-10);
    EXPECT_NEAR(plain[0], 0.99915, kTolerance);
    EXPECT_NEAR(plain[1], 0.9982334461401823, kTolerance);
    EXPECT_NEAR(plain[19], 0.9810104569288466, kTolerance);
    EXPECT_NEAR(plain[39], 0.9602639405161023, kTolerance);
    EXPECT_NEAR(plain[100], 0.8867612845015072, kTolerance);
    EXPECT_NEAR(plain[499], 0.24235916655614534, kTolerance);
    EXPECT_NEAR(plain[979], 8.578784340054837e-05, kTolerance);
    EXPECT_NEAR(plain[998], 1.967888056621159e-07, kTolerance);
    EXPECT_NEAR(std::accumulate(plain.begin(), plain.end(), 0.0), 352.17934167304554, 1e-10);
}

TEST(Schedule, TheLastAlphaIsExactlyZero) {
    EXPECT_EQ(cumulative_alphas(published_schedule(3.0)).back(), 0.0);
    EXPECT_EQ(cumulative_alphas(published_schedule(1.0)).back(), 0.0);
    EXPECT_EQ(Schedule(published_schedule(1.0), 50).alpha_at(0), 0.0);
}

TEST(Schedule, TrailingTimestepsMatchThePublishedOnes) {
    const Timesteps fifty = timesteps(50);
    ASSERT_EQ(fifty.size(), 50u);
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(fifty[i], 999 - 20 * static_cast<std::int64_t>(i));
    const Timesteps thirty = timesteps(30);
    EXPECT_EQ(Timesteps(thirty.begin(), thirty.begin() + 4), (Timesteps{999, 966, 932, 899}));
    EXPECT_EQ(Timesteps(thirty.end() - 2, thirty.end()), (Timesteps{66, 32}));
    EXPECT_EQ(timesteps(4), (Timesteps{999, 749, 499, 249}));
    EXPECT_EQ(timesteps(1), (Timesteps{999}));
}

// The second element's rounding travels through numpy's list; a plain 1000 - i * step gives other integers for 50
// counts.
TEST(Schedule, TimestepsCarryNumpysRounding) {
    int different = 0;
    for (int steps = 1; steps <= 1000; ++steps) {
        if (!is_usable_step_count(published_schedule(1.0), steps)) continue;
        const Timesteps published = timesteps(steps);
        bool same = true;
        for (int i = 0; i < steps; ++i) {
            const double plain = 1000.0 - i * (1000.0 / steps);
            same =
                same && published[static_cast<std::size_t>(i)] == static_cast<std::int64_t>(std::nearbyint(plain)) - 1;
        }
        if (!same) ++different;
        if (steps == 48 || steps == 96 || steps == 112) {
            EXPECT_FALSE(same) << steps;
        }
    }
    EXPECT_EQ(different, 49);  // And one of the refused counts.
}

// A running sum over the lists of all usable counts, each number weighted by its place, from numpy 2 itself.
TEST(Schedule, EveryListIsNumpys) {
    constexpr std::uint64_t kModulus = 4294967291u;
    std::uint64_t digest = 0;
    for (int steps = 1; steps <= 1000; ++steps) {
        if (!is_usable_step_count(published_schedule(1.0), steps)) continue;
        std::uint64_t sum = 0;
        const Timesteps published = timesteps(steps);
        for (std::size_t i = 0; i < published.size(); ++i) sum += static_cast<std::uint64_t>(published[i]) * (i + 1);
        digest = (digest * 1000003u + sum) % kModulus;
    }
    EXPECT_EQ(digest, 2916837314u);
}

TEST(Schedule, TheSixtyTwoCountsWithOneTimestepTooManyAreRefused) {
    std::vector<int> refused;
    for (int steps = 1; steps <= 1000; ++steps) {
        if (is_usable_step_count(published_schedule(1.0), steps)) continue;
        refused.push_back(steps);
        const Timesteps published = published_timesteps(published_schedule(1.0), steps);
        EXPECT_EQ(published.size(), static_cast<std::size_t>(steps) + 1);
        EXPECT_EQ(published.back(), -1);
    }
    EXPECT_EQ(refused.size(), 62u);
    EXPECT_EQ(std::vector<int>(refused.begin(), refused.begin() + 5), (std::vector<int>{61, 103, 121, 122, 201}));
}

std::string refusal(int steps) {
    try {
        Schedule(published_schedule(1.0), steps);
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
        return error.what();
    }
    return "";
}

TEST(Schedule, ARefusalNamesTheOptionAndTheNearestUsableCounts) {
    for (const int steps : {61, 121, 0, -3, 1001}) {
        EXPECT_NE(refusal(steps).find("--steps " + std::to_string(steps)), std::string::npos) << refusal(steps);
        EXPECT_LT(refusal(steps).size(), 300u);
    }
    EXPECT_NE(refusal(61).find("are 60 and 62"), std::string::npos);
    EXPECT_NE(refusal(121).find("are 120 and 123"), std::string::npos);  // 122 is refused as well.
    EXPECT_NE(refusal(0).find("1"), std::string::npos);
    EXPECT_NE(refusal(1001).find("1000"), std::string::npos);
}

TEST(Schedule, ThePreviousTimestepIsCountedByIntegerDivision) {
    int unfinished = 0;
    for (int steps = 1; steps <= 1000; ++steps) {
        if (!is_usable_step_count(published_schedule(1.0), steps)) continue;
        const Schedule schedule(published_schedule(1.0), steps);
        if (schedule.has_previous_timestep(steps - 1)) ++unfinished;
    }
    EXPECT_EQ(unfinished, 372);
    const Schedule thirty(published_schedule(1.0), 30);
    const std::vector<double> alphas = cumulative_alphas(published_schedule(1.0));
    EXPECT_EQ(thirty.alpha_after(1), alphas[966 - 33]);  // Not 932, the next one of the list.
    EXPECT_FALSE(thirty.has_previous_timestep(29));
    EXPECT_EQ(thirty.alpha_after(29), 1.0);
    const Schedule seven(published_schedule(1.0), 7);
    EXPECT_TRUE(seven.has_previous_timestep(6));
    EXPECT_LT(seven.alpha_after(6), 1.0);
}

TEST(Schedule, LeadingAndLinspaceMatchThePublishedOnes) {
    ScheduleConfig config = published_schedule(1.0);
    config.timestep_spacing = TimestepSpacing::Leading;
    config.steps_offset = 1;
    EXPECT_EQ(Schedule(config, 4).timesteps(), (Timesteps{751, 501, 251, 1}));
    config.timestep_spacing = TimestepSpacing::Linspace;
    EXPECT_EQ(Schedule(config, 4).timesteps(), (Timesteps{999, 666, 333, 0}));
    EXPECT_EQ(Schedule(config, 3).timesteps(), (Timesteps{999, 500, 0}));  // 499.5 goes to the even neighbour.
}

TEST(Schedule, AlphaEndsAtTheTablesStartIfTheFileSaysSo) {
    ScheduleConfig config = published_schedule(1.0);
    config.set_alpha_to_one = false;
    EXPECT_EQ(Schedule(config, 50).alpha_after(49), cumulative_alphas(config).front());
}

constexpr const char* kPublished = R"({"_class_name": "CogVideoXDDIMScheduler", "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000,
    "prediction_type": "v_prediction", "rescale_betas_zero_snr": true, "set_alpha_to_one": true, "snr_shift_scale": 1.0,
    "steps_offset": 0, "timestep_spacing": "trailing", "trained_betas": null})";

TEST(ScheduleConfig, ReadsThePublishedFile) {
    const ScheduleConfig config = read_schedule_config(ConfigReader::parse(kPublished, "scheduler_config.json"));
    EXPECT_EQ(config.prediction_type, PredictionType::Velocity);
    EXPECT_EQ(config.timestep_spacing, TimestepSpacing::Trailing);
    EXPECT_TRUE(config.rescale_betas_zero_snr);
    EXPECT_EQ(config.snr_shift_scale, 1.0);
    EXPECT_EQ(Schedule(config, 50).timesteps(), timesteps(50));
}

TEST(ScheduleConfig, WhatAFileDoesNotSayIsWhatDiffusersAssumes) {
    const ScheduleConfig config = read_schedule_config(ConfigReader::parse("{}", "scheduler_config.json"));
    EXPECT_EQ(config.prediction_type, PredictionType::Epsilon);
    EXPECT_EQ(config.timestep_spacing, TimestepSpacing::Leading);
    EXPECT_FALSE(config.rescale_betas_zero_snr);
    EXPECT_EQ(config.snr_shift_scale, 3.0);
}

TEST(ScheduleConfig, RefusalsNameTheFileAndTheKey) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"({"beta_schedule": "linear"})", "beta_schedule"},
        {R"({"trained_betas": [0.1]})", "trained_betas"},
        {R"({"prediction_type": "flow"})", "prediction_type"},
        {R"({"prediction_type": "epsilon", "rescale_betas_zero_snr": true})", "prediction_type"},
        {R"({"timestep_spacing": "random"})", "timestep_spacing"},
        {R"({"beta_start": 2})", "beta_start"},
        {R"({"num_train_timesteps": 0})", "num_train_timesteps"},
        {R"({"snr_shift_scale": 0})", "snr_shift_scale"},
        {R"({"set_alpha_to_one": "yes"})", "set_alpha_to_one"},
    };
    for (const auto& [text, key] : cases) {
        try {
            read_schedule_config(ConfigReader::parse(text, "scheduler_config.json"));
            ADD_FAILURE() << text << " was accepted";
        } catch (const EngineError& error) {
            EXPECT_NE(std::string(error.what()).find("scheduler_config.json"), std::string::npos) << error.what();
            EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
        }
    }
}

}  // namespace
}  // namespace mirror::engine::testing
