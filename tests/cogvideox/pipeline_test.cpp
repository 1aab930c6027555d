#include "engine/backbones/cogvideox/pipeline.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/core/result.h"
#include "engine/vae/cogvideox_vae.h"
#include "tests/cogvideox/golden.h"
#include "tests/cogvideox/tiny_models.h"
#include "tests/samplers/published_schedules.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

using cogvideox::LatentFrames;
using cogvideox::LatentGrid;
using cogvideox::Transformer;
using cogvideox::TransformerConfig;

TransformerConfig at_sample_size(TransformerConfig config, std::int64_t side) {
    config.sample_height = side;
    config.sample_width = side;
    return config;
}

VaeConfig tiny_vae() {
    VaeConfig config;
    config.block_out_channels = {8, 8, 8, 8};
    config.latent_channels = 4;
    config.layers_per_block = 1;
    config.norm_num_groups = 2;
    return config;
}

// One published pipeline on the small models: draws are noise.1, noise.2, ... in the order of the calls.
struct PipelineRun {
    at::Tensor denoised(SamplerKind kind, int steps, std::int64_t height, std::int64_t width) {
        const Transformer transformer(deterministic_weights(), config);
        const std::vector<std::int64_t> shape = cogvideox::latent_shape(9, height, width, config);
        const at::Tensor embeds = at::cat({deterministic_input("input.negative_prompt_embeds", {1, 8, 8}),
                                           deterministic_input("input.prompt_embeds", {1, 8, 8})});
        const at::Tensor image = config.is_image_to_video() ? encoded_image(shape) : at::Tensor();
        const at::Tensor start = draw(shape);
        DenoiseRun run;
        run.guidance = {6.0, schedule};
        run.predict = cogvideox::velocity_model(transformer, embeds, image, LatentGrid{shape[1], shape[3], shape[4]});
        run.noise = [this](int, int, at::IntArrayRef asked, at::ScalarType) { return draw(asked); };
        return denoise(*make_sampler(kind, published_schedule(snr_shift_scale), steps), start, run);
    }

    // The posterior's noise is drawn before the latents.
    at::Tensor encoded_image(const std::vector<std::int64_t>& shape) {
        const at::Tensor picture = deterministic("input.image", {1, 3, shape[3] * 8, shape[4] * 8}, 0.5, 0.5);
        const Posterior posterior = vae.encode((picture * 2 - 1).unsqueeze(2));
        const at::Tensor noise = draw({1, 4, 1, shape[3], shape[4]});
        return cogvideox::image_latents({posterior.mean, posterior.logvar, noise}, scale, shape[1], at::kFloat);
    }

    at::Tensor video(const at::Tensor& latents) const {
        const std::int64_t padding = cogvideox::latent_frames(9, config).padding;
        return cogvideox::frames_from_samples(vae.decode(cogvideox::decoder_latents(latents, padding, scale)));
    }

    at::Tensor draw(at::IntArrayRef shape) { return deterministic_input("noise." + std::to_string(++draws), shape); }

    TransformerConfig config;
    double snr_shift_scale = 1.0;
    DynamicGuidance schedule = DynamicGuidance::Off;
    cogvideox::LatentScale scale;
    CogVideoXVae vae{deterministic_weights(), tiny_vae()};
    int draws = 0;
};

// Guidance by 6 through a whole run: 1e-3 an element, as between two builds of the published pipeline.
constexpr double kRunTolerance = 1e-3;

void expect_video(const at::Tensor& video, double sum, double first, double second) {
    // Pixels are at most 1 and there are up to 41,472 of them, so rounding by 1e-3 at most hardly moves the sum.
    EXPECT_NEAR(video.sum(at::kDouble).item<double>(), sum, 1e-5 * sum);
    EXPECT_NEAR(video.flatten()[0].item<double>(), first, kRunTolerance);
    EXPECT_NEAR(video.flatten()[1].item<double>(), second, kRunTolerance);
}

TEST(CogVideoXPipeline, TwoBillionMatchesThePublishedPipeline) {
    PipelineRun run;
    run.config = at_sample_size(tiny_2b(), 4);
    run.snr_shift_scale = 3.0;
    run.scale.scaling_factor = 1.15258426;
    const at::Tensor latents = run.denoised(SamplerKind::Ddim, 3, 32, 32);
    ASSERT_EQ(latents.sizes(), (at::IntArrayRef{1, 3, 4, 4, 4}));
    expect_golden(latents, {13.032697, 216.019341, {-0.634401, -0.530367}, {}}, kRunTolerance);
    const at::Tensor video = run.video(latents);
    ASSERT_EQ(video.sizes(), (at::IntArrayRef{1, 9, 3, 32, 32}));
    expect_video(video, 15506.971996, 0.756521, 0.831462);
}

TEST(CogVideoXPipeline, FiveBillionMatchesThePublishedPipeline) {
    PipelineRun run;
    run.config = at_sample_size(tiny_5b(), 4);
    run.schedule = DynamicGuidance::Timestep;
    const at::Tensor latents = run.denoised(SamplerKind::Dpm, 4, 48, 32);
    ASSERT_EQ(latents.sizes(), (at::IntArrayRef{1, 3, 4, 6, 4}));
    expect_golden(latents, {-15.505609, 331.171348, {-0.187110, -1.709328}, {}}, kRunTolerance);
    expect_video(run.video(latents), 24889.941191, 0.709720, 0.043637);
}

TEST(CogVideoXPipeline, FiveBillionFromImagesMatchesThePublishedPipeline) {
    PipelineRun run;
    run.config = at_sample_size(tiny_5b_i2v(), 4);
    const at::Tensor latents = run.denoised(SamplerKind::Dpm, 4, 32, 32);
    ASSERT_EQ(latents.sizes(), (at::IntArrayRef{1, 3, 4, 4, 4}));
    expect_golden(latents, {19.170652, 216.728683, {-0.320510, 2.456029}, {}}, kRunTolerance);
    expect_video(run.video(latents), 15667.461409, 0.493798, 0.436321);
}

TEST(CogVideoXPipeline, OnePointFiveMatchesThePublishedPipeline) {
    PipelineRun run;
    run.config = at_sample_size(tiny_15(), 10);
    run.scale.invert_scale_latents = true;
    const at::Tensor latents = run.denoised(SamplerKind::Dpm, 4, 48, 32);
    ASSERT_EQ(latents.sizes(), (at::IntArrayRef{1, 4, 4, 6, 4}));
    expect_golden(latents, {4.871371, 390.217075, {0.506978, 0.450973}, {}}, kRunTolerance);
    const at::Tensor video = run.video(latents);
    ASSERT_EQ(video.sizes(), (at::IntArrayRef{1, 9, 3, 48, 32}));
    expect_video(video, 23511.902662, 0.615443, 0.341406);
}

TEST(CogVideoXPipeline, OnePointFiveFromImagesMatchesThePublishedPipeline) {
    PipelineRun run;
    run.config = at_sample_size(tiny_15_i2v(), 10);
    run.scale.invert_scale_latents = true;
    const at::Tensor latents = run.denoised(SamplerKind::Ddim, 4, 48, 32);
    ASSERT_EQ(latents.sizes(), (at::IntArrayRef{1, 4, 4, 6, 4}));
    expect_golden(latents, {53.945575, 446.451537, {0.109557, -0.413352}, {}}, kRunTolerance);
    expect_video(run.video(latents), 23833.231853, 0.663681, 0.000000);
}

TEST(CogVideoXPipeline, LatentFramesArePaddedForOnePointFiveOnly) {
    const TransformerConfig one = tiny_5b();
    const TransformerConfig later = tiny_15();
    EXPECT_EQ(cogvideox::latent_frames(49, one), (LatentFrames{13, 0}));
    EXPECT_EQ(cogvideox::latent_frames(1, one), (LatentFrames{1, 0}));
    EXPECT_EQ(cogvideox::latent_frames(81, later), (LatentFrames{22, 1}));
    EXPECT_EQ(cogvideox::latent_frames(13, later), (LatentFrames{4, 0}));
    EXPECT_EQ(cogvideox::latent_frames(1, later), (LatentFrames{2, 1}));
}

TEST(CogVideoXPipeline, LatentShapesLeaveRoomForTheImage) {
    EXPECT_EQ(cogvideox::latent_shape(49, 480, 720, TransformerConfig()),
              (std::vector<std::int64_t>{1, 13, 16, 60, 90}));
    EXPECT_EQ(cogvideox::latent_shape(9, 32, 48, tiny_5b_i2v()), (std::vector<std::int64_t>{1, 3, 4, 4, 6}));
    EXPECT_THROW(cogvideox::latent_shape(9, 40, 48, tiny_5b()), EngineError);  // A multiple of 8 is not enough.
    EXPECT_THROW(cogvideox::latent_shape(0, 32, 48, tiny_5b()), EngineError);
}

TEST(CogVideoXPipeline, ThePictureIsSampledScaledAndFollowedByZeros) {
    const at::Tensor mean = deterministic_input("mean", {1, 4, 1, 2, 3});
    const at::Tensor logvar = deterministic_input("logvar", {1, 4, 1, 2, 3});
    const at::Tensor noise = deterministic_input("noise", {1, 4, 1, 2, 3});
    const at::Tensor z = (mean + at::exp(0.5 * logvar) * noise).transpose(1, 2);
    const at::Tensor plain = cogvideox::image_latents({mean, logvar, noise}, {0.7, false}, 3, at::kFloat);
    ASSERT_EQ(plain.sizes(), (at::IntArrayRef{1, 3, 4, 2, 3}));
    EXPECT_TRUE(at::equal(plain.narrow(1, 0, 1), z * 0.7));
    EXPECT_EQ(plain.narrow(1, 1, 2).abs().sum().item<double>(), 0.0);
    const at::Tensor inverted = cogvideox::image_latents({mean, logvar, noise}, {0.7, true}, 3, at::kFloat);
    EXPECT_TRUE(at::equal(inverted.narrow(1, 0, 1), z * (1.0 / 0.7)));
    EXPECT_EQ(cogvideox::image_latents({mean, logvar, noise}, {0.7, true}, 1, at::kBFloat16).scalar_type(),
              at::kBFloat16);
}

TEST(CogVideoXPipeline, TheNoiseChannelsComeBeforeTheImageChannels) {
    const Transformer transformer(deterministic_weights(), tiny_5b_i2v());
    const at::Tensor embeds = deterministic_input("input.encoder_hidden_states", {2, 8, 8});
    const at::Tensor latents = deterministic_input("latents", {1, 3, 4, 8, 8});
    const at::Tensor image = deterministic_input("image", {1, 3, 4, 8, 8});
    const auto model = cogvideox::velocity_model(transformer, embeds, image, {3, 8, 8});
    cogvideox::TransformerInput input;
    input.hidden_states = at::cat({at::cat({latents, image}, 2), at::cat({latents, image}, 2)}, 0);
    input.encoder_hidden_states = embeds;
    input.timestep = at::tensor({499, 499}, at::kLong);
    EXPECT_TRUE(at::equal(model({0, 4, 499}, latents), transformer.forward(input)));
}

TEST(CogVideoXPipeline, TheFirstPaddedFramesAreDroppedBeforeDecoding) {
    const at::Tensor latents = deterministic_input("latents", {1, 4, 4, 2, 3});
    const at::Tensor decoded = cogvideox::decoder_latents(latents, 1, {0.7, true});
    ASSERT_EQ(decoded.sizes(), (at::IntArrayRef{1, 4, 3, 2, 3}));
    EXPECT_TRUE(at::equal(decoded, latents.narrow(1, 1, 3).transpose(1, 2) * (1.0 / 0.7)));
}

TEST(CogVideoXPipeline, FramesAreClampedInTheVaesTypeAndThenWidened) {
    const at::Tensor samples =
        at::tensor({-3.0, -1.0, 0.3, 1.0, 2.0}).to(at::kBFloat16).view({1, 1, 1, 1, 5}).expand({1, 3, 2, 1, 5});
    const at::Tensor frames = cogvideox::frames_from_samples(samples);
    ASSERT_EQ(frames.sizes(), (at::IntArrayRef{1, 2, 3, 1, 5}));
    EXPECT_EQ(frames.scalar_type(), at::kFloat);
    const at::Tensor row = frames.flatten(0, 3)[0];
    EXPECT_EQ(row[0].item<float>(), 0.0f);
    EXPECT_EQ(row[1].item<float>(), 0.0f);
    EXPECT_EQ(row[2].item<float>(), (at::tensor({0.3}).to(at::kBFloat16) * 0.5 + 0.5).to(at::kFloat).item<float>());
    EXPECT_EQ(row[3].item<float>(), 1.0f);
    EXPECT_EQ(row[4].item<float>(), 1.0f);
}

}  // namespace
}  // namespace mirror::engine::testing
