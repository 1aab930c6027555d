#include "engine/kernels/cpu/linear_bf16.h"

#include <algorithm>

#include "engine/kernels/cpu/linear_bf16_avx512.h"

namespace mirror::kernels {

#if defined(MIRROR_AVX512_BF16)

namespace {

std::int64_t parts_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

// Parts of nearly the same size, none above `most`, all but the last a multiple of a register tile.
std::int64_t even_part(std::int64_t count, std::int64_t most) {
    const std::int64_t even = parts_of(count, parts_of(count, most));
    return std::min(parts_of(even, avx512::kLinearTileRows) * avx512::kLinearTileRows, most);
}

}  // namespace

bool has_linear_bf16(std::int64_t depth) {
    static const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                                  __builtin_cpu_supports("avx512bf16") && !avx512::has_matrix_tiles();
    return supported && depth > 0 && depth % 32 == 0;
}

void linear_bf16(
    const LinearBf16& call,
    const std::function<void(std::int64_t count,
                             const std::function<void(std::int64_t begin, std::int64_t end)>& work)>& parallel_for) {
    if (call.rows * call.columns == 0) return;
    const std::int64_t part = even_part(call.rows, avx512::kLinearRows);
    const std::int64_t parts = parts_of(call.rows, part);
    const std::int64_t panels = parts_of(call.columns, avx512::kLinearColumns);
    // The parts of a panel come one after the other, while its weights are in the shared cache.
    parallel_for(panels * parts, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
            const std::int64_t row = task % parts * part;
            const std::int64_t column = task / parts * avx512::kLinearColumns;
            avx512::linear_panel(call, {row, std::min(part, call.rows - row)},
                                 {column, std::min(avx512::kLinearColumns, call.columns - column)});
        }
    });
}

#else

bool has_linear_bf16(std::int64_t) { return false; }

void linear_bf16(const LinearBf16&,
                 const std::function<void(std::int64_t count,
                                          const std::function<void(std::int64_t begin, std::int64_t end)>& work)>&) {}

#endif

}  // namespace mirror::kernels
