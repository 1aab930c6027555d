#include "engine/training/sampled_clips.h"

namespace mirror::engine::training {

namespace {

constexpr int kSteps = 20;
constexpr double kGuidance = 3.0;

}  // namespace

at::Tensor sampled_clips(const CogVideoXVae& vae, const ScheduleConfig& schedule, const at::Tensor& noise,
                         const Predict& predict) {
    const auto sampler = make_sampler(SamplerKind::Ddim, schedule, kSteps);
    DenoiseRun run;
    run.guidance.scale = kGuidance;
    run.predict = predict;
    const at::Tensor latents = denoise(*sampler, noise, run);
    return vae.decode(latents.permute({0, 2, 1, 3, 4}) / vae.config().scaling_factor).to(at::kCPU);
}

}  // namespace mirror::engine::training
