#pragma once

// Walks latents from noise to a clip: DDIM and SDE-DPM-Solver++ 2M, as diffusers' CogVideoX schedulers have them.
//
// Source: diffusers, schedulers/scheduling_ddim_cogvideox.py and scheduling_dpm_cogvideox.py.

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/core/request.h"
#include "engine/samplers/schedule.h"

namespace mirror::engine {

// Draw `draw` (0 or 1) of step `step`: normal noise of this shape and dtype, on any device. A sampler asks for its
// draws in the published order, the unused ones too, so that one sequential generator gives the published stream: draw
// 0 in every step, then draw 1 in every step but the first and those without a previous timestep. Where draw 1 is asked
// for it alone counts; elsewhere draw 0 does.
using NoiseSource = std::function<at::Tensor(int step, int draw, at::IntArrayRef shape, at::ScalarType dtype)>;

struct SamplerStep {
    at::Tensor latents;  // Float32 if the prediction is; the caller rounds to the model's dtype.
    at::Tensor x0;       // What the clip would be if it ended here.
};

// Holds the history of one run; made anew for each.
class Sampler {
public:
    virtual ~Sampler() = default;

    const Schedule& schedule() const { return schedule_; }
    const std::vector<std::int64_t>& timesteps() const { return schedule_.timesteps(); }

    // The latents after `step`, out of those before it and what the model predicted there. Steps come in order.
    virtual SamplerStep advance(int step, const at::Tensor& prediction, const at::Tensor& latents,
                                const NoiseSource& noise) = 0;

protected:
    explicit Sampler(Schedule schedule) : schedule_(std::move(schedule)) {}

    at::Tensor predict_x0(int step, const at::Tensor& prediction, const at::Tensor& latents) const;

private:
    Schedule schedule_;
};

std::unique_ptr<Sampler> make_sampler(SamplerKind kind, const ScheduleConfig& config, int steps);

}  // namespace mirror::engine
