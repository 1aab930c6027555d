#include "engine/samplers/denoise.h"

#include <utility>

#include "engine/core/result.h"

namespace mirror::engine {

at::Tensor denoise(Sampler& sampler, at::Tensor latents, const DenoiseRun& run) {
    const at::ScalarType dtype = latents.scalar_type();
    const int steps = sampler.schedule().steps();
    for (int step = 0; step < steps; ++step) {
        if (run.stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "The run was stopped.");
        const DenoiseStep now{step, steps, sampler.timesteps()[static_cast<std::size_t>(step)]};
        at::Tensor prediction = run.predict(now, latents).to(at::kFloat);
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
