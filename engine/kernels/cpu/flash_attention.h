#pragma once

// Attention over bfloat16 heads in blocks of keys that stay in the cache, softmax(scale * q k^T + bias) v, without the
// matrix of scores in memory. Written for AVX512-BF16; which processors have it is asked at run time. Products of
// bfloat16 pairs are summed in float32, and so are the softmax's sums; the softmax's weights are rounded to bfloat16
// for the product with the values. A query's result depends on that query, the keys and the values only: not on the
// number of threads or on the other queries.

#include <cstdint>
#include <functional>

namespace mirror::kernels {

// [batch, heads, rows, head_size] as bfloat16 bits; the last index is dense, the others have strides in elements.
template <typename T>
struct HeadsView {
    T* data = nullptr;
    std::int64_t batch_stride = 0;
    std::int64_t head_stride = 0;
    std::int64_t row_stride = 0;
};

struct FlashAttention {
    HeadsView<const std::uint16_t> query;
    HeadsView<const std::uint16_t> key;
    HeadsView<const std::uint16_t> value;
    HeadsView<std::uint16_t> output;
    const float* key_bias = nullptr;  // Added to the scaled scores of each key; null: none. Minus infinity hides a key.
    std::int64_t key_bias_batch_stride = 0;
    std::int64_t batch = 0;
    std::int64_t heads = 0;
    std::int64_t query_rows = 0;
    std::int64_t key_rows = 0;
    std::int64_t head_size = 0;
    float scale = 1.0F;  // Above 0.
};

// Calls the function with ranges that cover 0 to count - 1, on as many threads as the caller likes.
using RangeFunction = std::function<void(std::int64_t begin, std::int64_t end)>;
using ParallelFor = std::function<void(std::int64_t count, const RangeFunction& work)>;

// Whether this processor has the instructions and the kernel the size: multiples of 16 up to 256.
bool has_flash_attention_bf16(std::int64_t head_size);

// Only where has_flash_attention_bf16(call.head_size).
void flash_attention_bf16(const FlashAttention& call, const ParallelFor& parallel_for);

}  // namespace mirror::kernels
