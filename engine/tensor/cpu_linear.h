#pragma once

// The own kernel for linear layers in bfloat16 on a CPU, from tensors.

#include <ATen/ATen.h>

namespace mirror::engine {

// Whether the kernel can do this call and is worth it: bfloat16 on a CPU with the instructions, no gradient asked for,
// enough rows to pay for arranging the weights, an input whose rows have one stride. weight [outputs, inputs]; bias
// [outputs] or undefined.
bool cpu_linear_takes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// Only where cpu_linear_takes. [..., inputs] -> [..., outputs]; with_gelu: the tanh form of GELU before the one
// rounding.
at::Tensor cpu_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool with_gelu);

}  // namespace mirror::engine
