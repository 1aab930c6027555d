#pragma once

// How the rows without and with the prompt become one prediction.

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/core/request.h"

namespace mirror::engine {

struct Guidance {
    double scale = 6.0;
    DynamicGuidance schedule = DynamicGuidance::Off;

    // At 1 or less the model sees the prompt's row alone.
    bool is_enabled() const { return scale > 1.0; }
    int rows() const { return is_enabled() ? 2 : 1; }
};

// The weight of `step` (from 0) of `steps`, in double. `Timestep` puts (steps - timestep) / steps into the cosine, as
// the published pipelines do; `Step` puts step / steps there.
double guidance_weight(const Guidance& guidance, int step, std::int64_t timestep, int steps);

// rows [2 * batch, ...], those without the prompt first -> [batch, ...].
at::Tensor guide(const at::Tensor& rows, double weight);

}  // namespace mirror::engine
