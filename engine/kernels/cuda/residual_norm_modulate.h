#pragma once

// The CUDA form of kernels/cpu/residual_norm_modulate.h: same tensors, device pointers, one stream. No torch.

#include <cuda_runtime_api.h>

#include "engine/kernels/cpu/residual_norm_modulate.h"

namespace mirror::kernels {

// Widths up to this many elements fit the registers of one block.
inline constexpr std::int64_t kLargestNormWidth = 8192;

// Enqueues the kernel on `stream`. Pointers are device memory; width <= kLargestNormWidth. Returns the launch error.
cudaError_t residual_norm_modulate_cuda(const ResidualNormModulate<float>& call, cudaStream_t stream);
cudaError_t residual_norm_modulate_cuda(const ResidualNormModulate<std::uint16_t>& call, cudaStream_t stream);

}  // namespace mirror::kernels
