// One block a row: the row stays in registers between the residual, the two reductions and the modulation, so that
// memory is read once and written once instead of once for each of the seven separate operators.

#include <cuda_bf16.h>

#include "engine/kernels/cuda/residual_norm_modulate.h"

namespace mirror::kernels {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kLargestPerThread = static_cast<int>(kLargestNormWidth) / kThreads;

__device__ float load(float value) { return value; }
__device__ float load(std::uint16_t bits) { return __uint_as_float(static_cast<unsigned>(bits) << 16); }

template <typename T>
__device__ T store(float value);
template <>
__device__ float store<float>(float value) {
    return value;
}
template <>
__device__ std::uint16_t store<std::uint16_t>(float value) {
    return __bfloat16_as_ushort(__float2bfloat16_rn(value));
}

template <typename T>
__device__ float rounded(float value) {
    return load(store<T>(value));
}

__device__ float block_sum(float value, float* partial) {
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFU, value, offset);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
    __syncthreads();
    float total = 0;
    for (int warp = 0; warp < kWarps; ++warp) total += partial[warp];
    __syncthreads();
    return total;
}

// Multiplications and additions are kept apart (__fmul_rn, __fadd_rn): a fused multiply-add would skip a rounding that
// the separate operators have.
template <typename T, int kPerThread>
__global__ void residual_norm_modulate(ResidualNormModulate<T> call) {
    __shared__ float partial[kWarps];
    const std::int64_t width = call.width;
    const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * width;
    const std::int64_t factors = blockIdx.x / call.rows * width;
    float values[kPerThread];
    float sum = 0;
    for (int k = 0; k < kPerThread; ++k) {
        const std::int64_t i = static_cast<std::int64_t>(k) * kThreads + threadIdx.x;
        values[k] = 0;
        if (i >= width) continue;
        const float gated = rounded<T>(__fmul_rn(load(call.gate[factors + i]), load(call.branch[start + i])));
        const T residual = store<T>(__fadd_rn(load(call.hidden[start + i]), gated));
        call.residual[start + i] = residual;
        values[k] = load(residual);
        sum += values[k];
    }
    const float mean = block_sum(sum, partial) / static_cast<float>(width);
    float squares = 0;
    for (int k = 0; k < kPerThread; ++k) {
        if (static_cast<std::int64_t>(k) * kThreads + threadIdx.x < width)
            squares += (values[k] - mean) * (values[k] - mean);
    }
    const float inverse = rsqrtf(block_sum(squares, partial) / static_cast<float>(width) + call.epsilon);
    for (int k = 0; k < kPerThread; ++k) {
        const std::int64_t i = static_cast<std::int64_t>(k) * kThreads + threadIdx.x;
        if (i >= width) continue;
        const float normed = rounded<T>((values[k] - mean) * inverse * load(call.weight[i]) + load(call.bias[i]));
        const float factor = rounded<T>(__fadd_rn(1.0F, load(call.scale[factors + i])));
        const float scaled = rounded<T>(__fmul_rn(normed, factor));
        call.modulated[start + i] = store<T>(__fadd_rn(scaled, load(call.shift[factors + i])));
    }
}

template <typename T>
cudaError_t launch(const ResidualNormModulate<T>& call, cudaStream_t stream) {
    if (call.batch * call.rows == 0) return cudaSuccess;
    if (call.width > kLargestNormWidth) return cudaErrorInvalidValue;
    const auto blocks = static_cast<unsigned>(call.batch * call.rows);
    if (call.width <= 4 * kThreads) {
        residual_norm_modulate<T, 4><<<blocks, kThreads, 0, stream>>>(call);
    } else if (call.width <= 12 * kThreads) {
        residual_norm_modulate<T, 12><<<blocks, kThreads, 0, stream>>>(call);
    } else {
        residual_norm_modulate<T, kLargestPerThread><<<blocks, kThreads, 0, stream>>>(call);
    }
    return cudaGetLastError();
}

}  // namespace

cudaError_t residual_norm_modulate_cuda(const ResidualNormModulate<float>& call, cudaStream_t stream) {
    return launch(call, stream);
}

cudaError_t residual_norm_modulate_cuda(const ResidualNormModulate<std::uint16_t>& call, cudaStream_t stream) {
    return launch(call, stream);
}

}  // namespace mirror::kernels
