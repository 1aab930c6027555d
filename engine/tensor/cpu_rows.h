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

// One stream of a block on its way: x [B, T, D], the others [B, D] or, of the norm, [D]; undefined parts are left out.
struct RowModulation {
    at::Tensor x;
    at::Tensor gate;    // With branch.
    at::Tensor branch;  // [B, T, D]
    at::Tensor weight;  // Of the LayerNorm.
    at::Tensor bias;
    at::Tensor scale;  // With shift; undefined: no norm follows.
    at::Tensor shift;
    double epsilon = 1e-5;
};
struct ModulatedRows {
    at::Tensor residual;   // x + gate * branch, rounded once; x without a branch
    at::Tensor modulated;  // LayerNorm(residual) * (1 + scale) + shift, rounded once
};

// For bfloat16 on a CPU with the kernels.
std::optional<ModulatedRows> modulate_on_cpu(const RowModulation& call);

}  // namespace mirror::engine
