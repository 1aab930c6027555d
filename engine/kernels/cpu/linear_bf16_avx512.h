#pragma once

// The part of linear_bf16 that needs AVX512-BF16, between linear_bf16.cpp and linear_bf16_avx512.cpp only. The second
// is compiled for such processors, so it includes nothing with inline functions that the linker could pick for the
// others.

#include <cstdint>

#include "engine/kernels/cpu/linear_bf16.h"

namespace mirror::kernels::avx512 {

inline constexpr std::int64_t kLinearColumns = 64;  // Of a panel of weights.
inline constexpr std::int64_t kLinearTileRows = 6;  // 6 x 4 sums, 4 weights and a broadcast fit 32 registers.
inline constexpr std::int64_t kLinearRows = 768;    // At most, of one task: their sums stay in the second cache.
inline constexpr std::int64_t kLinearDepth = 1024;  // Of a panel that is packed at a time.

struct Range {
    std::int64_t begin = 0;
    std::int64_t count = 0;
};

bool has_matrix_tiles();

// Up to kLinearRows rows and kLinearColumns columns of the result.
void linear_panel(const LinearBf16& call, Range rows, Range columns);

}  // namespace mirror::kernels::avx512
