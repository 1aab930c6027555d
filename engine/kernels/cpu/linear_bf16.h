#pragma once

// Linear layers over bfloat16 rows, rows * weight^T + bias, with an activation before the one rounding of the result.
// Written for AVX512-BF16; which processors have it is asked at run time. Products of bfloat16 pairs are summed in
// float32, in an order that depends on the depth alone: a row's result is the same whatever the other rows and the
// number of threads.

#include <cstdint>
#include <functional>

namespace mirror::kernels {

enum class Activation { None, GeluTanh };

// Bfloat16 bits; the last index is dense, rows have strides in elements.
struct LinearBf16 {
    const std::uint16_t* input = nullptr;  // [rows, depth]
    std::int64_t input_stride = 0;
    const std::uint16_t* weight = nullptr;  // [columns, depth]
    std::int64_t weight_stride = 0;
    const std::uint16_t* bias = nullptr;  // [columns]; null: none
    std::uint16_t* output = nullptr;      // [rows, columns]
    std::int64_t output_stride = 0;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t depth = 0;
    Activation activation = Activation::None;
};

// Whether this processor has the instructions and the kernel the depth: multiples of 32. False on processors with
// matrix tiles (AMX), where libraries are many times as fast.
bool has_linear_bf16(std::int64_t depth);

// Only where has_linear_bf16(call.depth). `parallel_for` as for flash_attention_bf16.
void linear_bf16(
    const LinearBf16& call,
    const std::function<void(std::int64_t count,
                             const std::function<void(std::int64_t begin, std::int64_t end)>& work)>& parallel_for);

}  // namespace mirror::kernels
