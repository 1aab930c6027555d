#include "engine/kernels/cpu/residual_norm_modulate.h"

#include <bit>
#include <cmath>
#include <vector>

namespace mirror::kernels {

namespace {

float load(float value) { return value; }
float load(std::uint16_t bits) { return float_from_bf16(bits); }

template <typename T>
T store(float value);
template <>
float store<float>(float value) {
    return value;
}
template <>
std::uint16_t store<std::uint16_t>(float value) {
    return bf16_from_float(value);
}

template <typename T>
float rounded(float value) {
    return load(store<T>(value));
}

template <typename T>
void one_row(const ResidualNormModulate<T>& call, std::int64_t batch, std::int64_t row, std::vector<float>& values) {
    const std::int64_t width = call.width;
    const std::int64_t start = (batch * call.rows + row) * width;
    const std::int64_t factors = batch * width;
    double sum = 0;
    for (std::int64_t i = 0; i < width; ++i) {
        const float gated = rounded<T>(load(call.gate[factors + i]) * load(call.branch[start + i]));
        const T residual = store<T>(load(call.hidden[start + i]) + gated);
        call.residual[start + i] = residual;
        values[i] = load(residual);
        sum += values[i];
    }
    const double mean = sum / static_cast<double>(width);
    double squares = 0;
    for (std::int64_t i = 0; i < width; ++i) squares += (values[i] - mean) * (values[i] - mean);
    const double inverse = 1.0 / std::sqrt(squares / static_cast<double>(width) + call.epsilon);
    for (std::int64_t i = 0; i < width; ++i) {
        const auto centred = static_cast<float>((values[i] - mean) * inverse);
        const float normed = rounded<T>(centred * load(call.weight[i]) + load(call.bias[i]));
        const float factor = rounded<T>(1.0F + load(call.scale[factors + i]));
        call.modulated[start + i] = store<T>(rounded<T>(normed * factor) + load(call.shift[factors + i]));
    }
}

template <typename T>
void all_rows(const ResidualNormModulate<T>& call) {
    std::vector<float> values(static_cast<std::size_t>(call.width));
    for (std::int64_t batch = 0; batch < call.batch; ++batch) {
        for (std::int64_t row = 0; row < call.rows; ++row) one_row(call, batch, row, values);
    }
}

}  // namespace

std::uint16_t bf16_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

float float_from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

void residual_norm_modulate_cpu(const ResidualNormModulate<float>& call) { all_rows(call); }
void residual_norm_modulate_cpu(const ResidualNormModulate<std::uint16_t>& call) { all_rows(call); }

}  // namespace mirror::kernels
