#pragma once

// While it lives, matrix products and convolutions run in bfloat16 and everything delicate in float32.

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

namespace mirror::engine::training {

class PrecisionScope {
public:
    PrecisionScope(bool bf16, at::Device device) : device_(device.type()), active_(bf16) {
        if (!active_) return;
        at::autocast::set_autocast_dtype(device_, at::kBFloat16);
        at::autocast::set_autocast_enabled(device_, true);
        at::autocast::increment_nesting();
    }
    ~PrecisionScope() {
        if (!active_) return;
        if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();  // Weights change with every step.
        at::autocast::set_autocast_enabled(device_, false);
    }
    PrecisionScope(const PrecisionScope&) = delete;
    PrecisionScope& operator=(const PrecisionScope&) = delete;

private:
    at::DeviceType device_;
    bool active_;
};

}  // namespace mirror::engine::training
