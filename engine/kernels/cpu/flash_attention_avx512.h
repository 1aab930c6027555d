#pragma once

// The parts of flash attention that need AVX512-BF16, between flash_attention.cpp and flash_attention_avx512.cpp only.
// The second is compiled for such processors, so it includes nothing with inline functions that the linker could pick
// for the others.

#include <cstdint>

namespace mirror::kernels::avx512 {

inline constexpr std::int64_t kKeyGroup = 64;    // Keys are packed, and padded, in groups of so many.
inline constexpr std::int64_t kQueryBlock = 48;  // Queries of one task.
inline constexpr std::int64_t kLargestHead = 256;
inline constexpr float kHidden = -1e30F;  // The bias of a hidden key: far below every score, and no infinity.

// A group of keys: [head_size / 2][64 keys][2]; rows beyond `rows` are zero.
void pack_key_group(const std::uint16_t* rows_of_keys, std::int64_t row_stride, std::int64_t rows,
                    std::int64_t head_size, std::uint16_t* packed);

// A group of values: [64 / 2 rows][head_size][2]; rows beyond `rows` are zero.
void pack_value_group(const std::uint16_t* rows_of_values, std::int64_t row_stride, std::int64_t rows,
                      std::int64_t head_size, std::uint16_t* packed);

// Up to kQueryBlock queries of one head against all of its keys.
struct QueryBlock {
    const std::uint16_t* query = nullptr;
    std::int64_t query_stride = 0;
    std::uint16_t* output = nullptr;
    std::int64_t output_stride = 0;
    std::int64_t queries = 0;
    std::int64_t head_size = 0;
    const std::uint16_t* keys = nullptr;    // Packed groups, one after the other.
    const std::uint16_t* values = nullptr;  // Packed groups, one after the other.
    std::int64_t padded_keys = 0;           // A multiple of kKeyGroup.
    const float* score_start = nullptr;     // [padded_keys]: bias / scale of every key; kHidden for padding.
    bool start_everywhere = false;          // False: only the last group has score_start other than 0.
    float scale = 1.0F;
};
void attend_block(const QueryBlock& block);

}  // namespace mirror::kernels::avx512
