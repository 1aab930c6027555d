// The base model from noise to frames, with every random draw among the inputs.

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/samplers/denoise.h"
#include "engine/session/stages/stage.h"
#include "engine/session/stages/stage_parts.h"

namespace mirror::engine::stages {

namespace {

// How many of the latent frames are padding, by the number of frames that --frames says were asked for.
std::int64_t padding_of(const StageRun& run, const at::Tensor& latents, const cogvideox::TransformerConfig& config) {
    if (!run.options.frames) return 0;
    const std::int64_t frames = *run.options.frames;
    if (frames < 1 || frames > 1'000'000) refuse_option("--frames", "a whole number from 1 to 1000000");
    const auto expected = cogvideox::latent_frames(frames, config);
    if (expected.total != latents.size(1))
        refuse_option("--frames", "a length that fits the input 'latents', which has " +
                                      std::to_string(latents.size(1)) + " latent frames where " +
                                      std::to_string(expected.total) + " are needed");
    return expected.padding;
}

void generate(StageRun& run, const ModelFolder& folder, const at::Tensor& latents, const at::Tensor& image_latents) {
    const int steps = checked_steps(run);
    const Guidance guidance = checked_guidance(run);
    const auto config = folder.transformer_config();
    const std::int64_t padding = padding_of(run, latents, config);
    const at::Tensor prompts = prompt_rows(run, guidance, config.text_embed_dim);
    const auto sampler = make_sampler(run.options.sampler, folder.schedule(), steps);

    DenoiseRun denoising;
    denoising.noise = noise_from_inputs(run, steps, latents.sizes());
    const cogvideox::Transformer transformer = folder.transformer();
    const cogvideox::LatentGrid grid{latents.size(1), latents.size(3), latents.size(4)};
    denoising.predict = cogvideox::velocity_model(transformer, prompts, image_latents, grid);
    denoising.guidance = guidance;
    denoising.stop = run.stop;
    const at::Tensor denoised = denoise(*sampler, latents, denoising);
    run.output("frames", decoded_frames(run, folder, denoised, padding));
    run.output("latents", denoised);
}

}  // namespace

void text_to_video(StageRun& run) {
    const ModelFolder folder = model_of(run);
    const auto config = folder.transformer_config();
    generate(run, folder, run.floats("latents", {1, kAny, config.in_channels, kAny, kAny}), {});
}

void image_to_video(StageRun& run) {
    const ModelFolder folder = model_of(run);
    const auto config = folder.transformer_config();
    if (!config.is_image_to_video())
        throw EngineError(
            ErrorCode::InvalidRequest,
            "transformer/config.json: in_channels is not twice out_channels, so this is no image-to-video model");
    const std::int64_t channels = config.in_channels / 2;
    const at::Tensor latents = run.floats("latents", {1, kAny, channels, kAny, kAny});
    const VaeConfig vae = folder.vae_config();
    const std::int64_t factor = vae.spatial_compression();
    const at::Tensor image = run.floats("image", {1, 3, latents.size(3) * factor, latents.size(4) * factor});
    const at::Tensor noise = run.floats("posterior_noise", {1, channels, 1, latents.size(3), latents.size(4)});
    const Posterior posterior = folder.vae(VaeParts::Whole).encode((image * 2.0 - 1.0).unsqueeze(2));
    const at::Tensor condition =
        cogvideox::image_latents({posterior.mean, posterior.logvar, noise},
                                 {vae.scaling_factor, vae.invert_scale_latents}, latents.size(1), run.placement.dtype);
    generate(run, folder, latents, condition);
}

}  // namespace mirror::engine::stages
