#pragma once

// The reference of the fused residual + LayerNorm + modulate step of a CogVideoX block, in plain C++: what the CUDA
// kernel is compared with. Rounds to the storage type at the same points as the separate operators of the published
// model do.

#include <cstdint>

namespace mirror::kernels {

// bfloat16 bits, round to nearest even.
std::uint16_t bf16_from_float(float value);
float float_from_bf16(std::uint16_t bits);

// One call's tensors. T is float or std::uint16_t (bfloat16 bits). All arrays are dense, last index fastest.
template <typename T>
struct ResidualNormModulate {
    const T* hidden = nullptr;  // [batch, rows, width]: the stream before the residual
    const T* branch = nullptr;  // [batch, rows, width]: what attention or feed-forward gave
    const T* gate = nullptr;    // [batch, width]
    const T* weight = nullptr;  // [width], of the LayerNorm
    const T* bias = nullptr;    // [width]
    const T* scale = nullptr;   // [batch, width]
    const T* shift = nullptr;   // [batch, width]
    T* residual = nullptr;      // [batch, rows, width]: hidden + gate * branch
    T* modulated = nullptr;     // [batch, rows, width]: LayerNorm(residual) * (1 + scale) + shift
    std::int64_t batch = 0;
    std::int64_t rows = 0;
    std::int64_t width = 0;
    float epsilon = 1e-5F;
};

void residual_norm_modulate_cpu(const ResidualNormModulate<float>& call);
void residual_norm_modulate_cpu(const ResidualNormModulate<std::uint16_t>& call);

}  // namespace mirror::kernels
