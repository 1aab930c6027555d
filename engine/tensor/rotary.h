#pragma once

// Rotary positions on adjacent pairs of a head's values, as diffusers' apply_rotary_emb with use_real has them.

#include <ATen/ATen.h>

#include <cstdint>

namespace mirror::engine {

// One angle a row and value, each frequency twice in a row. Undefined tensors: the model has no rotary positions.
struct RotaryTable {
    bool defined() const { return cos.defined(); }

    at::Tensor cos;  // [rows, head_dim], float32
    at::Tensor sin;  // [rows, head_dim], float32
};

// Turns the rows of x [B, heads, T, head_dim] from first_row on, of which there must be as many as the table has; the
// rows before it are unchanged. Arithmetic is float32, rounded once to x's dtype. An undefined table changes nothing.
at::Tensor rotate(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row);

}  // namespace mirror::engine
