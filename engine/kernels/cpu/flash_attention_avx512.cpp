#include "engine/kernels/cpu/flash_attention_avx512.h"

#include "engine/kernels/cpu/avx512_math.h"

namespace mirror::kernels::avx512 {

namespace {

constexpr std::int64_t kTileRows =
    6;  // Queries of a register tile: 6 x 4 sums, 4 packed operands and a broadcast fit 32.
constexpr std::int64_t kTileVectors = 4;  // 64 columns.
constexpr std::int64_t kKeyBlock =
    512;  // So many keys between two looks at the largest score; the scores stay in the second cache.
constexpr float kSmallest = -1e20F;  // Largest score before any: above hidden keys, so that they weigh 0 even alone.

struct Scratch {
    alignas(64) float scores[kQueryBlock * kKeyBlock];
    alignas(64) std::uint16_t weights[kQueryBlock * kKeyBlock];
    alignas(64) float sums[kQueryBlock * kLargestHead];  // Weights times values, so far.
    alignas(64) std::uint16_t queries[kQueryBlock * kLargestHead];
    alignas(64) float maxima[kQueryBlock * kLanes];  // Of the block's scores, lane by lane.
    alignas(64) float totals[kQueryBlock * kLanes];  // Sums of the weights, lane by lane.
    float largest[kQueryBlock];                      // Of all keys' scores so far.
    float shrink[kQueryBlock];                       // What the sums so far are worth under the new largest.
};

// sums[row][column] += a[row][pair] . b[pair][column]; a has rows of bfloat16 pairs, b packed pairs a column.
template <int Vectors>
inline __attribute__((always_inline)) void multiply(const std::uint16_t* a, std::int64_t a_stride,
                                                    const std::uint16_t* b, std::int64_t b_stride, std::int64_t pairs,
                                                    __m512 (&sums)[kTileRows][Vectors]) {
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
        __m512bh columns[Vectors];
        for (int v = 0; v < Vectors; ++v)
            columns[v] = (__m512bh)_mm512_loadu_si512(b + pair * b_stride + v * 2 * kLanes);
        for (int row = 0; row < kTileRows; ++row) {
            const __m512bh factor = pair_of(a + row * a_stride + 2 * pair);
            for (int v = 0; v < Vectors; ++v) sums[row][v] = _mm512_dpbf16_ps(sums[row][v], factor, columns[v]);
        }
    }
}

// Scores of six queries against one group of keys, and their maxima.
void score_tile(const std::uint16_t* queries, const std::uint16_t* keys, std::int64_t head_size, const float* start,
                float* scores, float* maxima) {
    __m512 sums[kTileRows][kTileVectors];
    for (int v = 0; v < kTileVectors; ++v) {
        const __m512 first = start != nullptr ? _mm512_loadu_ps(start + v * kLanes) : _mm512_setzero_ps();
        for (int row = 0; row < kTileRows; ++row) sums[row][v] = first;
    }
    multiply<kTileVectors>(queries, head_size, keys, 2 * kKeyGroup, head_size / 2, sums);
    for (int row = 0; row < kTileRows; ++row) {
        for (int v = 0; v < kTileVectors; ++v) _mm512_store_ps(scores + row * kKeyBlock + v * kLanes, sums[row][v]);
        const __m512 here =
            _mm512_max_ps(_mm512_max_ps(sums[row][0], sums[row][1]), _mm512_max_ps(sums[row][2], sums[row][3]));
        _mm512_store_ps(maxima + row * kLanes, _mm512_max_ps(_mm512_load_ps(maxima + row * kLanes), here));
    }
}

inline float power_of_two(float x) { return _mm512_cvtss_f32(power_of_two(_mm512_set1_ps(x))); }

// Turns a row of scores into weights against the largest score so far. The total is that of the rounded weights, so
// that a query with one key in sight gets exactly that key's value.
void weigh_row(Scratch& scratch, std::int64_t row, std::int64_t keys, float factor) {
    const float* scores = scratch.scores + row * kKeyBlock;
    std::uint16_t* weights = scratch.weights + row * kKeyBlock;
    const float here = _mm512_reduce_max_ps(_mm512_load_ps(scratch.maxima + row * kLanes));
    const float before = scratch.largest[row];
    const float largest = here > before ? here : before;
    const float shrink = power_of_two((before - largest) * factor);
    const __m512 factors = _mm512_set1_ps(factor);
    const __m512 offset = _mm512_set1_ps(largest);
    const auto ones = (__m512bh)_mm512_set1_epi16(0x3F80);
    __m512 total = _mm512_mul_ps(_mm512_load_ps(scratch.totals + row * kLanes), _mm512_set1_ps(shrink));
    for (std::int64_t key = 0; key < keys; key += 2 * kLanes) {
        const __m512 below0 = _mm512_sub_ps(_mm512_load_ps(scores + key), offset);
        const __m512 below1 = _mm512_sub_ps(_mm512_load_ps(scores + key + kLanes), offset);
        const __m512bh both = _mm512_cvtne2ps_pbh(power_of_two(_mm512_mul_ps(below1, factors)),
                                                  power_of_two(_mm512_mul_ps(below0, factors)));
        total = _mm512_dpbf16_ps(total, both, ones);
        _mm512_store_si512(weights + key, (__m512i)both);
    }
    _mm512_store_ps(scratch.totals + row * kLanes, total);
    scratch.largest[row] = largest;
    scratch.shrink[row] = shrink;
}

// sums = shrink * sums + weights * values, for six queries and the columns from `column` on.
template <int Vectors>
void value_tile(Scratch& scratch, std::int64_t row, const std::uint16_t* values, std::int64_t head_size,
                std::int64_t column, std::int64_t keys) {
    __m512 sums[kTileRows][Vectors];
    float* const first = scratch.sums + row * head_size + column;
    for (int r = 0; r < kTileRows; ++r) {
        const __m512 shrink = _mm512_set1_ps(scratch.shrink[row + r]);
        for (int v = 0; v < Vectors; ++v)
            sums[r][v] = _mm512_mul_ps(_mm512_load_ps(first + r * head_size + v * kLanes), shrink);
    }
    multiply<Vectors>(scratch.weights + row * kKeyBlock, kKeyBlock, values + 2 * column, 2 * head_size, keys / 2, sums);
    for (int r = 0; r < kTileRows; ++r)
        for (int v = 0; v < Vectors; ++v) _mm512_store_ps(first + r * head_size + v * kLanes, sums[r][v]);
}

void value_tiles(Scratch& scratch, std::int64_t row, const std::uint16_t* values, std::int64_t head_size,
                 std::int64_t keys) {
    std::int64_t column = 0;
    for (; column + 64 <= head_size; column += 64) value_tile<4>(scratch, row, values, head_size, column, keys);
    switch (head_size - column) {
        case 48:
            return value_tile<3>(scratch, row, values, head_size, column, keys);
        case 32:
            return value_tile<2>(scratch, row, values, head_size, column, keys);
        case 16:
            return value_tile<1>(scratch, row, values, head_size, column, keys);
        default:
            return;
    }
}

// Copies the queries, zero rows up to a whole tile, and starts the sums; returns the rows with padding.
std::int64_t start_block(const QueryBlock& block, Scratch& scratch) {
    const std::int64_t rows = (block.queries + kTileRows - 1) / kTileRows * kTileRows;
    for (std::int64_t row = 0; row < rows; ++row) {
        std::uint16_t* const query = scratch.queries + row * block.head_size;
        float* const sums = scratch.sums + row * block.head_size;
        for (std::int64_t i = 0; i < block.head_size; i += kLanes) {
            const __m256i bits = row < block.queries
                                     ? _mm256_loadu_si256((const __m256i*)(block.query + row * block.query_stride + i))
                                     : _mm256_setzero_si256();
            _mm256_store_si256((__m256i*)(query + i), bits);
            _mm512_store_ps(sums + i, _mm512_setzero_ps());
        }
        _mm512_store_ps(scratch.totals + row * kLanes, _mm512_setzero_ps());
        scratch.largest[row] = kSmallest;
    }
    return rows;
}

void store_block(const QueryBlock& block, const Scratch& scratch) {
    for (std::int64_t row = 0; row < block.queries; ++row) {
        const float total = _mm512_reduce_add_ps(_mm512_load_ps(scratch.totals + row * kLanes));
        const __m512 inverse = _mm512_set1_ps(total > 0 ? 1.0F / total : 0.0F);  // 0: every key is hidden.
        for (std::int64_t i = 0; i < block.head_size; i += kLanes) {
            const __m512 value = _mm512_mul_ps(_mm512_load_ps(scratch.sums + row * block.head_size + i), inverse);
            _mm256_storeu_si256((__m256i*)(block.output + row * block.output_stride + i),
                                (__m256i)_mm512_cvtneps_pbh(value));
        }
    }
}

}  // namespace

void pack_key_group(const std::uint16_t* rows_of_keys, std::int64_t row_stride, std::int64_t rows,
                    std::int64_t head_size, std::uint16_t* packed) {
    for (std::int64_t key = 0; key < kKeyGroup; ++key) {
        const std::uint16_t* const row = rows_of_keys + key * row_stride;
        for (std::int64_t pair = 0; pair < head_size / 2; ++pair) {
            std::uint32_t bits = 0;
            if (key < rows) __builtin_memcpy(&bits, row + 2 * pair, sizeof bits);
            __builtin_memcpy(packed + 2 * (pair * kKeyGroup + key), &bits, sizeof bits);
        }
    }
}

void pack_value_group(const std::uint16_t* rows_of_values, std::int64_t row_stride, std::int64_t rows,
                      std::int64_t head_size, std::uint16_t* packed) {
    const auto load = [&](std::int64_t row, std::int64_t i) {
        if (row >= rows) return _mm512_setzero_si512();
        return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)(rows_of_values + row * row_stride + i)));
    };
    for (std::int64_t row = 0; row < kKeyGroup; row += 2) {
        for (std::int64_t i = 0; i < head_size; i += kLanes) {
            const __m512i both = _mm512_or_si512(load(row, i), _mm512_slli_epi32(load(row + 1, i), 16));
            _mm512_storeu_si512(packed + row * head_size + 2 * i, both);
        }
    }
}

void attend_block(const QueryBlock& block) {
    Scratch scratch;
    const std::int64_t rows = start_block(block, scratch);
    const float factor = block.scale * kLog2E;
    for (std::int64_t first = 0; first < block.padded_keys; first += kKeyBlock) {
        const std::int64_t keys = block.padded_keys - first < kKeyBlock ? block.padded_keys - first : kKeyBlock;
        for (std::int64_t i = 0; i < rows * kLanes; i += kLanes)
            _mm512_store_ps(scratch.maxima + i, _mm512_set1_ps(kHidden));
        for (std::int64_t group = first; group < first + keys; group += kKeyGroup) {
            const bool last = group + kKeyGroup >= block.padded_keys;
            const float* const start = block.start_everywhere || last ? block.score_start + group : nullptr;
            for (std::int64_t row = 0; row < rows; row += kTileRows)
                score_tile(scratch.queries + row * block.head_size, block.keys + group * block.head_size,
                           block.head_size, start, scratch.scores + row * kKeyBlock + (group - first),
                           scratch.maxima + row * kLanes);
        }
        for (std::int64_t row = 0; row < rows; ++row) weigh_row(scratch, row, keys, factor);
        for (std::int64_t row = 0; row < rows; row += kTileRows)
            value_tiles(scratch, row, block.values + first * block.head_size, block.head_size, keys);
    }
    store_block(block, scratch);
}

}  // namespace mirror::kernels::avx512
