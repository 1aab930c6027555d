#pragma once

// Clips that a model draws while it is trained, for the run's pictures.

#include <ATen/ATen.h>

#include "engine/samplers/denoise.h"
#include "engine/samplers/schedule.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine::training {

// From noise [N, F, Z, h, w] to [N, 3, T, H, W] in -1..1 on the CPU: DDIM in 20 steps with guidance 3. `predict` gives
// the rows without the prompt first.
at::Tensor sampled_clips(const CogVideoXVae& vae, const ScheduleConfig& schedule, const at::Tensor& noise,
                         const Predict& predict);

}  // namespace mirror::engine::training
