#pragma once

// The row kernels of engine/kernels/cpu on tensors. Each says whether it did the work: only float32 and bfloat16 on a
// CPU that has them, and no gradient asked for.

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "engine/tensor/rotary.h"

namespace mirror::engine {

// x = gelu(x), the tanh form, for contiguous bfloat16.
bool gelu_tanh_on_cpu(at::Tensor& x);

// As rotate(), for float32 and bfloat16; in memory the result is [B, T, heads, head_dim].
std::optional<at::Tensor> rotate_on_cpu(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row);

}  // namespace mirror::engine
