#pragma once

// The row kernels of engine/kernels/cpu on tensors. Each says whether it did the work: only float32 and bfloat16 on a
// CPU that has them, and no gradient asked for.

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "engine/tensor/layers.h"
#include "engine/tensor/rotary.h"

namespace mirror::engine {

// x = gelu(x), the tanh form, for contiguous bfloat16.
bool gelu_tanh_on_cpu(at::Tensor& x);

// As rotate(), for float32 and bfloat16; in memory the result is [B, T, heads, head_dim] unless x is
// contiguous.
std::optional<at::Tensor> rotate_on_cpu(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row);

// The norm of every head of x [B, heads, T, head_dim], in the same layouts.
std::optional<at::Tensor> norm_heads_on_cpu(const at::Tensor& x, const LayerNorm& norm);

}  // namespace mirror::engine
