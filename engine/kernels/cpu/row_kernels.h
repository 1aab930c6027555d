#pragma once

// Steps between the matrix products of a transformer block, one pass over the rows each, in vectors of 16 floats.
// Compiled for AVX2 and for AVX-512; which of them runs is asked once. Values are float32 inside; T is float or
// std::uint16_t (bfloat16 bits).

#include <cstdint>

namespace mirror::kernels {

// [batch, heads, rows, head_size]; strides in elements, the last index is dense in both tensors.
template <typename T>
struct RotateHeads {
    const T* input = nullptr;
    T* output = nullptr;
    std::int64_t input_strides[3] = {};
    std::int64_t output_strides[3] = {};
    std::int64_t heads = 0;
    std::int64_t rows = 0;
    std::int64_t head_size = 0;
    std::int64_t first_row = 0;  // Rows before are copied.
    const float* cos = nullptr;  // [rows - first_row, head_size]
    const float* sin = nullptr;
};

// Rows of bfloat16 bits that share their factors; strides in elements, rows are dense inside. Null leaves a part out.
struct ModulateRows {
    const std::uint16_t* input = nullptr;
    const std::uint16_t* branch = nullptr;  // The row becomes input + gate * branch, rounded once; null: input.
    const std::uint16_t* gate = nullptr;    // [width]; with branch
    std::uint16_t* residual = nullptr;      // Where that goes; null: nowhere.
    const std::uint16_t* weight = nullptr;  // [width], of the LayerNorm; null: ones
    const std::uint16_t* bias = nullptr;    // [width]; null: zeros
    const std::uint16_t* scale = nullptr;   // [width]
    const std::uint16_t* shift = nullptr;   // [width]
    std::uint16_t* output = nullptr;        // LayerNorm(row) * (1 + scale) + shift, rounded once; null: no norm.
    std::int64_t input_stride = 0;
    std::int64_t branch_stride = 0;
    std::int64_t residual_stride = 0;
    std::int64_t output_stride = 0;
    std::int64_t width = 0;  // A multiple of kRowKernelLanes up to kWidestRow.
    float epsilon = 1e-5F;
};

// The kernels of one instruction set; ranges make them easy to run on several threads.
struct RowKernels {
    // x = gelu(x), the tanh form, to well below a rounding of bfloat16.
    void (*gelu_tanh_bf16)(std::uint16_t* values, std::int64_t count);
    // Pairs (a, b) become (a cos - b sin, b cos + a sin), rounded as separate operators round; positions count batch *
    // rows.
    void (*rotate_bf16)(const RotateHeads<std::uint16_t>& call, std::int64_t begin, std::int64_t end);
    void (*rotate_float)(const RotateHeads<float>& call, std::int64_t begin, std::int64_t end);
    // Gated residual, LayerNorm and modulation in one pass over each row.
    void (*modulate_bf16)(const ModulateRows& call, std::int64_t begin, std::int64_t end);
};

// Head sizes and widths must be multiples of this.
inline constexpr std::int64_t kRowKernelLanes = 16;
inline constexpr std::int64_t kWidestRow = 8192;

// Null where the processor has neither AVX2 nor AVX-512.
const RowKernels* row_kernels();

}  // namespace mirror::kernels
