#pragma once

// Operators with derivatives of their own, cheaper than what libtorch derives from their parts. A program that trains
// registers them; everywhere else the table is empty, and so it stays where no gradient is asked for.

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/tensor/rotary.h"

namespace mirror::engine {

// Several tensors in, as many out.
using StreamFunction = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>;

struct GradientCalls {
    // softmax(scale q k^T + bias) v, as attention() in layers.h; bias may be undefined.
    at::Tensor (*attention)(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias,
                            double scale) = nullptr;
    // As rotate() in rotary.h.
    at::Tensor (*rotate)(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row) = nullptr;
    // As gelu_tanh() in layers.h; x is kept.
    at::Tensor (*gelu_tanh)(const at::Tensor& x) = nullptr;
    // function(inputs), whose inside is made again when the gradient comes by instead of being kept. What the function
    // refers to has to live as long.
    std::vector<at::Tensor> (*recompute)(const StreamFunction& function,
                                         const std::vector<at::Tensor>& inputs) = nullptr;
};

// Set before the first model runs and never after it.
const GradientCalls& gradient_calls();
void register_gradient_calls(const GradientCalls& calls);

// Whether somebody will ask for x's gradient on a CPU, where these calls pay.
inline bool wants_cpu_gradient(const at::Tensor& x) {
    return x.is_cpu() && c10::GradMode::is_enabled() && x.requires_grad();
}

}  // namespace mirror::engine
