#include "engine/session/stages/stage_parts.h"

#include <cmath>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/core/limits.h"

namespace mirror::engine::stages {

namespace {

constexpr std::int64_t kLongestPrompt = 100'000;  // Tokens; attention over more would need more memory than there is.

}  // namespace

std::int64_t checked_max_length(const StageRun& run) {
    const std::int64_t length = run.options.max_length;
    if (length < 1 || length > kLongestPrompt)
        refuse_option("--max-length", "a whole number from 1 to " + std::to_string(kLongestPrompt));
    return length;
}

ModelFolder model_of(const StageRun& run) { return {run.job.model, run.placement, WeightCheck::None}; }

int checked_steps(const StageRun& run) {
    if (run.options.steps < 1 || run.options.steps > limits::kMaxSteps)
        refuse_option("--steps", "a whole number from 1 to " + std::to_string(limits::kMaxSteps));
    return static_cast<int>(run.options.steps);
}

Guidance checked_guidance(const StageRun& run) {
    if (!std::isfinite(run.options.guidance)) refuse_option("--guidance", "a finite number");
    return {run.options.guidance, run.options.dynamic_cfg ? DynamicGuidance::Timestep : DynamicGuidance::Off};
}

void stop_if_asked(const std::stop_token& stop) {
    if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
}

std::vector<std::int64_t> any_rank(const StageRun& run, const std::string& name) {
    return std::vector<std::int64_t>(std::max<std::size_t>(run.inputs.rank(name), 1), kAny);
}

NoiseSource noise_from_inputs(const StageRun& run, int steps, at::IntArrayRef sample_shape) {
    if (run.options.sampler == SamplerKind::Ddim) return {};
    std::vector<std::int64_t> shape{steps, 2};
    shape.insert(shape.end(), sample_shape.begin(), sample_shape.end());
    const at::Tensor noises = run.floats("noises", shape);
    return [noises](int step, int draw, at::IntArrayRef, at::ScalarType dtype) { return noises[step][draw].to(dtype); };
}

at::Tensor prompt_rows(const StageRun& run, const Guidance& guidance, std::int64_t width) {
    const at::Tensor positive = run.floats("prompt_embeds", {1, kAny, width});
    if (!guidance.is_enabled()) return positive;
    return at::cat({run.floats("negative_prompt_embeds", {1, positive.size(1), width}), positive});
}

at::Tensor decoded_frames(const StageRun& run, const ModelFolder& folder, const at::Tensor& latents,
                          std::int64_t padding) {
    const VaeConfig config = folder.vae_config();
    const cogvideox::LatentScale scale{config.scaling_factor, config.invert_scale_latents};
    const CogVideoXVae vae = folder.vae(VaeParts::DecoderOnly);
    std::vector<at::Tensor> chunks;
    vae.decode(cogvideox::decoder_latents(latents, padding, scale), Tiling::off(), [&](at::Tensor samples) {
        stop_if_asked(run.stop);
        chunks.push_back(cogvideox::frames_from_samples(samples)[0]);
    });
    return at::cat(chunks);
}

}  // namespace mirror::engine::stages
