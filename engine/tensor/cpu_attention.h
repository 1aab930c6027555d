#pragma once

// The own attention kernel for bfloat16 on a CPU, from tensors.

#include <ATen/ATen.h>

namespace mirror::engine {

// Whether the kernel can do this call: bfloat16 on a CPU with the instructions, no gradient asked for, a head size that
// it has, dense heads, and a bias that is undefined or differs by key (and batch) only.
bool cpu_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias);

// Only where cpu_attention_takes. [B, heads, Tq, dh]; in memory [B, Tq, heads, dh], so that merging the heads copies
// nothing.
at::Tensor cpu_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias);

}  // namespace mirror::engine
