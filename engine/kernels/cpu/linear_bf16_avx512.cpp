#include "engine/kernels/cpu/linear_bf16_avx512.h"

#include <cpuid.h>

#include "engine/kernels/cpu/avx512_math.h"

namespace mirror::kernels::avx512 {

namespace {

constexpr std::int64_t kVectors = 4;  // Of a panel's columns.
constexpr std::int64_t kTile = kLinearTileRows;

struct Scratch {
    alignas(64) std::uint16_t weights[kLinearDepth * kLinearColumns];  // [pairs][columns][2]
    alignas(64) float sums[kLinearRows * kLinearColumns];
    alignas(64) float bias[kLinearColumns];
};

using Tile = __m512[kTile][kVectors];

// 16 x 16 words of 32 bits, rows to columns.
inline void transpose(__m512i (&words)[kLanes]) {
    __m512i quads[kLanes];  // [four rows][column within a lane]
    for (int four = 0; four < 4; ++four) {
        const __m512i* const row = words + 4 * four;
        const __m512i low0 = _mm512_unpacklo_epi32(row[0], row[1]), low1 = _mm512_unpacklo_epi32(row[2], row[3]);
        const __m512i high0 = _mm512_unpackhi_epi32(row[0], row[1]), high1 = _mm512_unpackhi_epi32(row[2], row[3]);
        quads[4 * four] = _mm512_unpacklo_epi64(low0, low1);
        quads[4 * four + 1] = _mm512_unpackhi_epi64(low0, low1);
        quads[4 * four + 2] = _mm512_unpacklo_epi64(high0, high1);
        quads[4 * four + 3] = _mm512_unpackhi_epi64(high0, high1);
    }
    for (int j = 0; j < 4; ++j) {
        const __m512i even0 = _mm512_shuffle_i32x4(quads[j], quads[4 + j], 0x88);
        const __m512i even1 = _mm512_shuffle_i32x4(quads[8 + j], quads[12 + j], 0x88);
        const __m512i odd0 = _mm512_shuffle_i32x4(quads[j], quads[4 + j], 0xDD);
        const __m512i odd1 = _mm512_shuffle_i32x4(quads[8 + j], quads[12 + j], 0xDD);
        words[j] = _mm512_shuffle_i32x4(even0, even1, 0x88);
        words[4 + j] = _mm512_shuffle_i32x4(odd0, odd1, 0x88);
        words[8 + j] = _mm512_shuffle_i32x4(even0, even1, 0xDD);
        words[12 + j] = _mm512_shuffle_i32x4(odd0, odd1, 0xDD);
    }
}

// Weights of the panel's columns from `first` on: [depth / 2][columns][2]; missing columns are zero.
void pack(const LinearBf16& call, Range columns, std::int64_t first, std::int64_t depth, std::uint16_t* packed) {
    for (std::int64_t block = 0; block < kLinearColumns; block += kLanes) {
        for (std::int64_t at = 0; at < depth; at += 2 * kLanes) {
            __m512i words[kLanes];
            for (std::int64_t i = 0; i < kLanes; ++i) {
                const std::int64_t column = columns.begin + block + i;
                words[i] = block + i < columns.count
                               ? _mm512_loadu_si512(call.weight + column * call.weight_stride + first + at)
                               : _mm512_setzero_si512();
            }
            transpose(words);
            for (std::int64_t i = 0; i < kLanes; ++i)
                _mm512_store_si512(packed + 2 * ((at / 2 + i) * kLinearColumns + block), words[i]);
        }
    }
}

// sums += rows * weights over `depth`, while the rows of the next tile are fetched.
inline __attribute__((always_inline)) void multiply(const std::uint16_t* const (&rows)[kTile],
                                                    const std::uint16_t* const (&next)[kTile],
                                                    const std::uint16_t* weights, std::int64_t depth, Tile& sums) {
    for (std::int64_t at = 0; at < depth; at += 2 * kLanes) {
        for (int row = 0; row < kTile; ++row) _mm_prefetch((const char*)(next[row] + at), _MM_HINT_T0);
        for (std::int64_t pair = 0; pair < kLanes; ++pair) {
            __m512bh columns[kVectors];
            for (int v = 0; v < kVectors; ++v) columns[v] = (__m512bh)_mm512_load_si512(weights + v * 2 * kLanes);
            weights += 2 * kLinearColumns;
            for (int row = 0; row < kTile; ++row) {
                const __m512bh factor = pair_of(rows[row] + at + 2 * pair);
                for (int v = 0; v < kVectors; ++v) sums[row][v] = _mm512_dpbf16_ps(sums[row][v], factor, columns[v]);
            }
        }
    }
}

// x / (1 + exp(-2 u)), which is 0.5 x (1 + tanh(u)) without its cancellation.
inline __m512 gelu_tanh(__m512 x) {
    const __m512 square = _mm512_mul_ps(x, x);
    const __m512 inner = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(0.044715F), square), x, x);
    constexpr float kFactor = -2.0F * kLog2E * 0.79788456080286535588F;
    const __m512 power = power_of_two(_mm512_mul_ps(inner, _mm512_set1_ps(kFactor)));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0F), power));
}

void store_row(const LinearBf16& call, const __m512 (&sums)[kVectors], std::uint16_t* to, std::int64_t columns) {
    for (int v = 0; v < kVectors && v * kLanes < columns; ++v) {
        const __m512 value = call.activation == Activation::GeluTanh ? gelu_tanh(sums[v]) : sums[v];
        const std::int64_t rest = columns - v * kLanes;
        const auto mask = static_cast<__mmask16>(rest >= kLanes ? 0xFFFF : (1 << rest) - 1);
        _mm256_mask_storeu_epi16(to + v * kLanes, mask, (__m256i)_mm512_cvtneps_pbh(value));
    }
}

// One part of the depth for all rows: sums start from the bias and end as the result.
void multiply_rows(const LinearBf16& call, Range rows, Range columns, Range depth, Scratch& scratch) {
    const auto row_at = [&](std::int64_t row) {
        const std::int64_t last = rows.begin + rows.count - 1;
        const std::int64_t inside = rows.begin + row < last ? rows.begin + row : last;  // Spare rows repeat the last.
        return call.input + inside * call.input_stride + depth.begin;
    };
    for (std::int64_t row = 0; row < rows.count; row += kTile) {
        const std::uint16_t* here[kTile];
        const std::uint16_t* next[kTile];
        for (int i = 0; i < kTile; ++i) here[i] = row_at(row + i);
        for (int i = 0; i < kTile; ++i) next[i] = row_at(row + kTile + i);
        float* const kept = scratch.sums + row * kLinearColumns;
        Tile sums;
        for (int i = 0; i < kTile; ++i)
            for (int v = 0; v < kVectors; ++v)
                sums[i][v] = depth.begin == 0 ? _mm512_load_ps(scratch.bias + v * kLanes)
                                              : _mm512_load_ps(kept + i * kLinearColumns + v * kLanes);
        multiply(here, next, scratch.weights, depth.count, sums);
        if (depth.begin + depth.count < call.depth) {
            for (int i = 0; i < kTile; ++i)
                for (int v = 0; v < kVectors; ++v) _mm512_store_ps(kept + i * kLinearColumns + v * kLanes, sums[i][v]);
            continue;
        }
        for (int i = 0; i < kTile && row + i < rows.count; ++i)
            store_row(call, sums[i], call.output + (rows.begin + row + i) * call.output_stride + columns.begin,
                      columns.count);
    }
}

}  // namespace

bool has_matrix_tiles() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & (1U << 22)) != 0;  // AMX-BF16
}

void linear_panel(const LinearBf16& call, Range rows, Range columns) {
    Scratch scratch;
    for (std::int64_t i = 0; i < kLinearColumns; ++i) {
        const bool biased = call.bias != nullptr && i < columns.count;
        const std::uint32_t bits = biased ? static_cast<std::uint32_t>(call.bias[columns.begin + i]) << 16 : 0;
        __builtin_memcpy(scratch.bias + i, &bits, sizeof bits);
    }
    for (std::int64_t first = 0; first < call.depth; first += kLinearDepth) {
        const std::int64_t depth = call.depth - first < kLinearDepth ? call.depth - first : kLinearDepth;
        pack(call, columns, first, depth, scratch.weights);
        multiply_rows(call, rows, columns, {first, depth}, scratch);
    }
}

}  // namespace mirror::kernels::avx512
