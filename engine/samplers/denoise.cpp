#include "engine/samplers/denoise.h"

#include <string>
#include <utility>

#include "engine/core/result.h"

namespace mirror::engine {

namespace {

void check_rows(const at::Tensor& prediction, const at::Tensor& latents, const Guidance& guidance) {
    if (prediction.size(0) == guidance.rows() * latents.size(0)) return;
    throw EngineError(ErrorCode::ShapeMismatch,
                      "The model predicted " + std::to_string(prediction.size(0)) + " rows for " +
                          std::to_string(latents.size(0)) + " clips, but guidance " +
                          (guidance.is_enabled() ? "needs two rows" : "of 1 or less needs one row") + " for each.");
}

}  // namespace

at::Tensor denoise(Sampler& sampler, at::Tensor latents, const DenoiseRun& run) {
    const at::ScalarType dtype = latents.scalar_type();
    const int steps = sampler.schedule().steps();
    for (int step = 0; step < steps; ++step) {
        if (run.stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "The run was stopped.");
        const DenoiseStep now{step, steps, sampler.timesteps()[static_cast<std::size_t>(step)]};
        at::Tensor prediction = run.predict(now, latents).to(at::kFloat);
        check_rows(prediction, latents, run.guidance);
        if (run.guidance.is_enabled()) {
            prediction = guide(prediction, guidance_weight(run.guidance, step, now.timestep, steps));
        }
        SamplerStep result = sampler.advance(step, prediction, latents, run.noise);
        latents = result.latents.to(dtype);
        if (run.observe) run.observe(now, latents, result.x0);
    }
    return latents;
}

}  // namespace mirror::engine
