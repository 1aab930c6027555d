#include "engine/samplers/denoise.h"

#include <gtest/gtest.h>

#include <stop_token>
#include <vector>

#include "engine/core/result.h"
#include "tests/samplers/published_schedules.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

const std::vector<std::int64_t> kShape{1, 2, 4, 3, 3};

DenoiseRun plain_run() {
    DenoiseRun run;
    run.guidance.scale = 1.0;
    run.predict = [](const DenoiseStep& step, const at::Tensor&) {
        return deterministic_input("v." + std::to_string(step.step), kShape);
    };
    return run;
}

TEST(Denoise, RunsTheSamplerThroughAllSteps) {
    const auto sampler = make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4);
    const at::Tensor latents = denoise(*sampler, deterministic_input("input.latents", kShape), plain_run());
    EXPECT_NEAR(latents.sum(at::kDouble).item<double>(), 5.225559, 5e-5);  // As the samplers' reference run.
}

TEST(Denoise, PredictsAtThePublishedTimesteps) {
    std::vector<std::int64_t> seen;
    DenoiseRun run = plain_run();
    run.predict = [&](const DenoiseStep& step, const at::Tensor& latents) {
        EXPECT_EQ(step.steps, 4);
        EXPECT_EQ(step.step, static_cast<int>(seen.size()));
        seen.push_back(step.timestep);
        return latents;
    };
    denoise(*make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4), at::ones(kShape), run);
    EXPECT_EQ(seen, (std::vector<std::int64_t>{999, 749, 499, 249}));
}

TEST(Denoise, LatentsAreRoundedToTheModelsTypeAfterEveryStep) {
    DenoiseRun run = plain_run();
    run.predict = [](const DenoiseStep& step, const at::Tensor& latents) {
        EXPECT_EQ(latents.scalar_type(), at::kBFloat16);
        return deterministic_input("v." + std::to_string(step.step), kShape).to(at::kBFloat16);
    };
    int observed = 0;
    run.observe = [&](const DenoiseStep&, const at::Tensor& latents, const at::Tensor& x0) {
        EXPECT_EQ(latents.scalar_type(), at::kBFloat16);
        EXPECT_EQ(x0.scalar_type(), at::kFloat);
        ++observed;
    };
    const auto sampler = make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4);
    const at::Tensor latents = denoise(*sampler, deterministic_input("input.latents", kShape).to(at::kBFloat16), run);
    EXPECT_EQ(latents.scalar_type(), at::kBFloat16);
    EXPECT_EQ(observed, 4);
}

TEST(Denoise, GuidanceIsAppliedInFloat32) {
    // In bf16 the difference of the rows would be lost: 1.0 and 1.0078125 are neighbours there.
    const at::Tensor without = at::full(kShape, 1.0, at::kBFloat16);
    const at::Tensor with = at::full(kShape, 1.0078125, at::kBFloat16);
    DenoiseRun run;
    run.guidance = {1.3, DynamicGuidance::Off};
    run.predict = [&](const DenoiseStep&, const at::Tensor&) { return at::cat({without, with}); };
    at::Tensor guided;
    run.observe = [&](const DenoiseStep&, const at::Tensor&, const at::Tensor& x0) { guided = -x0; };
    denoise(*make_sampler(SamplerKind::Ddim, published_schedule(1.0), 1), at::zeros(kShape, at::kBFloat16), run);
    EXPECT_NEAR(guided.flatten()[0].item<double>(), 1.0 + 1.3 * 0.0078125, 1e-6);
}

TEST(Denoise, DynamicGuidanceFollowsTheTimestepOrTheStep) {
    const auto x0_of_last = [](DynamicGuidance schedule) {
        DenoiseRun run;
        run.guidance = {6.0, schedule};
        run.predict = [](const DenoiseStep&, const at::Tensor&) {
            return at::cat({at::zeros(kShape), at::ones(kShape)});
        };
        at::Tensor last;
        run.observe = [&](const DenoiseStep&, const at::Tensor&, const at::Tensor& x0) { last = x0; };
        denoise(*make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4), at::zeros(kShape), run);
        return last;
    };
    EXPECT_FALSE(at::allclose(x0_of_last(DynamicGuidance::Timestep), x0_of_last(DynamicGuidance::Step)));
    EXPECT_FALSE(at::allclose(x0_of_last(DynamicGuidance::Timestep), x0_of_last(DynamicGuidance::Off)));
}

TEST(Denoise, APredictionWithoutItsUnconditionalRowsIsRefused) {
    DenoiseRun run = plain_run();
    run.guidance.scale = 6.0;
    EXPECT_THROW(denoise(*make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4), at::ones(kShape), run),
                 EngineError);
}

TEST(Denoise, EndsAsCancelledBeforeTheNextStep) {
    std::stop_source stop;
    int predicted = 0;
    DenoiseRun run = plain_run();
    run.stop = stop.get_token();
    run.predict = [&](const DenoiseStep&, const at::Tensor& latents) {
        if (++predicted == 2) stop.request_stop();
        return latents;
    };
    try {
        denoise(*make_sampler(SamplerKind::Ddim, published_schedule(1.0), 4), at::ones(kShape), run);
        ADD_FAILURE() << "went on";
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
    EXPECT_EQ(predicted, 2);
}

}  // namespace
}  // namespace mirror::engine::testing
