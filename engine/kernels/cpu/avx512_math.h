#pragma once

// What the kernels for AVX512-BF16 share. Only for source files that are compiled for it: everything here is local to
// the file that includes it.

#include <immintrin.h>

#include <cstdint>

namespace mirror::kernels::avx512 {

namespace {

constexpr std::int64_t kLanes = 16;  // Float32 lanes, or bfloat16 pairs, of a register.
constexpr float kLog2E = 1.44269504088896340736F;

// Two neighbouring bfloat16 numbers in every lane.
inline __m512bh pair_of(const std::uint16_t* two) {
    std::int32_t bits;
    __builtin_memcpy(&bits, two, sizeof bits);
    return (__m512bh)_mm512_set1_epi32(bits);
}

// 2^x to 2e-6 relative: a polynomial for the fraction, the floor goes into the exponent.
inline __m512 power_of_two(__m512 x) {
    const __m512 fraction = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 value = _mm512_set1_ps(1.353417e-2F);
    value = _mm512_fmadd_ps(value, fraction, _mm512_set1_ps(5.201146e-2F));
    value = _mm512_fmadd_ps(value, fraction, _mm512_set1_ps(2.4144276e-1F));
    value = _mm512_fmadd_ps(value, fraction, _mm512_set1_ps(6.9300383e-1F));
    value = _mm512_fmadd_ps(value, fraction, _mm512_set1_ps(1.0000026F));
    return _mm512_scalef_ps(value, x);
}

}  // namespace

}  // namespace mirror::kernels::avx512
