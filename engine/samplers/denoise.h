#pragma once

// The loop that every kind of generation runs: predict, guide, advance, round.

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <stop_token>

#include "engine/samplers/guidance.h"
#include "engine/samplers/sampler.h"

namespace mirror::engine {

struct DenoiseStep {
    int step = 0;  // From 0.
    int steps = 0;
    std::int64_t timestep = 0;
};

// The model's prediction for latents [batch, ...]: [batch, ...], or with guidance [2 * batch, ...] with the rows
// without the prompt first.
using Predict = std::function<at::Tensor(const DenoiseStep& step, const at::Tensor& latents)>;

// Called after every step with the rounded latents and the clip as it would be if it ended here (float32).
using StepObserver = std::function<void(const DenoiseStep& step, const at::Tensor& latents, const at::Tensor& x0)>;

struct DenoiseRun {
    Predict predict;
    Guidance guidance;
    NoiseSource noise;     // Not asked by DDIM; may then be empty.
    StepObserver observe;  // May be empty.
    std::stop_token stop;  // EngineError (Cancelled) before the next step.
};

// The dtype of `latents` is the model's: after every step they are rounded to it. Guidance and predictions are float32.
at::Tensor denoise(Sampler& sampler, at::Tensor latents, const DenoiseRun& run);

}  // namespace mirror::engine
