#pragma once

// The learning rate as a function of the samples seen, never of the clock: on a busy machine a run takes longer and
// ends the same.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace mirror::engine::training {

// Rises linearly, then falls along a cosine to a fraction of its peak.
struct LearningRate {
    double peak = 1e-3;
    double last_fraction = 0.1;
    std::int64_t warmup_samples = 0;
    std::int64_t samples = 1;

    double at(std::int64_t seen) const {
        if (seen < warmup_samples)
            return peak * static_cast<double>(seen + 1) / static_cast<double>(warmup_samples + 1);
        const auto span = static_cast<double>(std::max<std::int64_t>(samples - warmup_samples, 1));
        const double done = std::clamp(static_cast<double>(seen - warmup_samples) / span, 0.0, 1.0);
        return peak * (last_fraction + (1.0 - last_fraction) * 0.5 * (1.0 + std::cos(std::numbers::pi * done)));
    }
};

}  // namespace mirror::engine::training
