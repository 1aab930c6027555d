#pragma once

// Layers that every model shares, as values: weights in, const operator() out. Numerics are libtorch's own operators in
// the weights' dtype.

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/weights/weight_source.h"

namespace mirror::engine {

enum class Bias { None, Present };

struct Linear {
    Linear() = default;
    Linear(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, Bias with_bias = Bias::Present);

    at::Tensor operator()(const at::Tensor& x) const;  // [..., inputs] -> [..., outputs]
    // GELU of the result, the tanh form: without a rounding in between where the own kernel runs.
    at::Tensor gelu_tanh(const at::Tensor& x) const;

    at::Tensor weight;  // [outputs, inputs]
    at::Tensor bias;    // [outputs]; undefined without bias
};

struct LayerNorm {
    LayerNorm() = default;
    LayerNorm(const WeightScope& weights, std::int64_t width, double epsilon);
    static LayerNorm plain(std::int64_t width, double epsilon);  // No weight, no bias.

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight;  // [width]; undefined without affine
    at::Tensor bias;    // [width]; undefined without affine
    std::int64_t width = 0;
    double epsilon = 1e-5;
};

// x * sigmoid(1.702 x), as CLIP has it.
at::Tensor quick_gelu(const at::Tensor& x);

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Takes x over: its memory may become the result's.
at::Tensor gelu_tanh(at::Tensor&& x);

// [B, T, heads * head_dim] -> [B, heads, T, head_dim], a view.
at::Tensor split_heads(const at::Tensor& x, std::int64_t heads);
// The inverse; makes the result contiguous.
at::Tensor merge_heads(const at::Tensor& x);

// softmax(q k^T / sqrt(head_dim) + bias) v; every call of attention in the engine goes through here. q [B, heads, Tq,
// dh], k and v [B, heads, Tk, dh]; bias undefined, or broadcastable to [B, heads, Tq, Tk]. Runs the own kernel for
// bfloat16 on a CPU that has it where no gradient is asked for and the bias is one of keys; else libtorch's fused
// operator.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias = {});

}  // namespace mirror::engine
