#include "engine/samplers/guidance.h"

#include <cmath>
#include <numbers>

namespace mirror::engine {

double guidance_weight(const Guidance& guidance, int step, std::int64_t timestep, int steps) {
    if (guidance.schedule == DynamicGuidance::Off) return guidance.scale;
    const double position = guidance.schedule == DynamicGuidance::Timestep
                                ? (steps - static_cast<double>(timestep)) / steps
                                : static_cast<double>(step) / steps;
    // The power is taken literally: the cosine is erratic far from zero, and one unit in the last place shows.
    const double angle = std::numbers::pi * std::pow(position, 5.0);
    return 1.0 + guidance.scale * ((1.0 - std::cos(angle)) / 2.0);
}

at::Tensor guide(const at::Tensor& rows, double weight) {
    const std::vector<at::Tensor> halves = rows.chunk(2);
    return halves[0] + (halves[1] - halves[0]) * weight;
}

}  // namespace mirror::engine
