#include <gtest/gtest.h>

#include "engine/core/result.h"
#include "engine/identity/magic_mirror/identity_model.h"
#include "engine/samplers/sampler.h"
#include "tests/identity/tiny_adapter.h"

namespace mirror::engine::magic_mirror::testing {
namespace {

struct Loop {
    explicit Loop(const SwitchOverrides& switches = {}) : tiny(tiny_config(switches)) {
        const TinyInputs inputs;
        model.transformer = &tiny.base;
        model.adapter = &tiny.adapter;
        model.conditioning = make_conditioning(tiny.adapter, inputs.id_embeds, inputs.face_tokens);
        model.strength = Strength::of(tiny.adapter.config.switches);
        model.prompts = {deterministic_input("input.prompt_embeds", {1, 5, 48}),
                         deterministic_input("input.plain_prompt_embeds", {1, 5, 48}),
                         deterministic_input("input.negative_prompt_embeds", {1, 5, 48})};
        model.active = active_steps({}, tiny.adapter.config.switches);
        model.unconditional = tiny.adapter.config.switches.cfg_uncond_face;
        model.positions = tiny.base.positions({2, 4, 6});
    }

    at::Tensor run() const {
        ScheduleConfig schedule;
        schedule.prediction_type = PredictionType::Velocity;
        schedule.rescale_betas_zero_snr = true;
        schedule.snr_shift_scale = 1.0;
        schedule.timestep_spacing = TimestepSpacing::Trailing;
        const auto sampler = make_sampler(SamplerKind::Ddim, schedule, 3);
        DenoiseRun denoising;
        denoising.predict = [this](const DenoiseStep& step, const at::Tensor& latents) { return model(step, latents); };
        denoising.guidance.scale = 6;
        return denoise(*sampler, latents(), denoising);
    }

    static at::Tensor latents() { return deterministic_input("input.latents", {1, 2, 4, 4, 6}); }

    TinyModel tiny;
    IdentityModel model;
};

at::Tensor base_rows(const Loop& loop, const at::Tensor& prompts) {
    cogvideox::TransformerInput input;
    input.hidden_states = at::cat({Loop::latents(), Loop::latents()}, 0).narrow(0, 0, prompts.size(0));
    input.encoder_hidden_states = prompts;
    input.timestep = at::full({prompts.size(0)}, 500, at::kLong);
    return loop.tiny.base.forward(input);
}

constexpr DenoiseStep kMiddle{1, 3, 500};

TEST(IdentityModel, TheLoopIsThatOfTheReference) {
    EXPECT_LT(largest_difference(Loop().run(), golden("loop.drop")), 1e-4);
    EXPECT_LT(largest_difference(Loop(SwitchOverrides{{"cfg_uncond_face", "keep"}}).run(), golden("loop.keep")), 1e-4);
    EXPECT_LT(
        largest_difference(Loop(SwitchOverrides{{"start_merge_step", "2"}}).run(), golden("loop.start_merge_step")),
        1e-4);
}

TEST(IdentityModel, TheNegativeRowIsTheBaseModelUnlessKept) {
    const Loop drop;
    const at::Tensor negative = base_rows(drop, drop.model.prompts.negative);
    EXPECT_TRUE(at::equal(drop.model(kMiddle, Loop::latents()).narrow(0, 0, 1), negative));
    const Loop keep(SwitchOverrides{{"cfg_uncond_face", "keep"}});
    EXPECT_GT(largest_difference(keep.model(kMiddle, Loop::latents()).narrow(0, 0, 1), negative), 1e-3);
}

TEST(IdentityModel, OutsideTheActiveStepsBothRowsAreTheBaseModel) {
    Loop loop;
    loop.model.active = {2, 2};
    const at::Tensor rows = at::cat({loop.model.prompts.negative, loop.model.prompts.plain}, 0);
    EXPECT_TRUE(at::equal(loop.model(kMiddle, Loop::latents()), base_rows(loop, rows)));
}

TEST(IdentityModel, WithoutGuidanceThereIsOneRow) {
    Loop loop;
    const at::Tensor guided = loop.model(kMiddle, Loop::latents());
    loop.model.prompts.negative.reset();
    const at::Tensor alone = loop.model(kMiddle, Loop::latents());
    EXPECT_EQ(alone.size(0), 1);
    EXPECT_TRUE(at::equal(alone, guided.narrow(0, 1, 1)));
}

TEST(ActiveSteps, JoinTheWishAndTheSwitch) {
    Switches switches;
    EXPECT_TRUE(active_steps({}, switches).contains(0));
    EXPECT_TRUE(active_steps({}, switches).contains(999));
    switches.start_merge_step = 5;
    IdentityStrength wish;
    wish.first_step = 3;
    wish.last_step = 8;
    EXPECT_FALSE(active_steps(wish, switches).contains(4));
    EXPECT_TRUE(active_steps(wish, switches).contains(5));
    EXPECT_TRUE(active_steps(wish, switches).contains(7));
    EXPECT_FALSE(active_steps(wish, switches).contains(8));
    wish.value = 0;
    for (int step = 0; step < 10; ++step) EXPECT_FALSE(active_steps(wish, switches).contains(step));
}

TEST(ActiveSteps, StepsWithoutTheAdapterNeedThePlainPrompt) {
    IdentityPrompts prompts;
    EXPECT_NO_THROW(check_prompts(prompts, {}, 10));
    EXPECT_THROW(check_prompts(prompts, {1, 100}, 10), EngineError);
    EXPECT_THROW(check_prompts(prompts, {0, 8}, 10), EngineError);
    EXPECT_NO_THROW(check_prompts(prompts, {0, 9}, 10));
    prompts.plain = at::zeros({1, 5, 48});
    EXPECT_NO_THROW(check_prompts(prompts, {1, 8}, 10));
}

}  // namespace
}  // namespace mirror::engine::magic_mirror::testing
