#include "tests/support/deterministic.h"

#include <cmath>
#include <cstdint>

namespace mirror::engine::testing {

namespace {

std::uint32_t fnv1a(const std::string& text) {
    std::uint32_t hash = 2166136261u;
    for (const unsigned char c : text) hash = (hash ^ c) * 16777619u;
    return hash;
}

double noise_at(std::uint32_t hash, std::uint32_t index) {
    std::uint32_t x = hash + index * 0x9E3779B9u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return 2.0 * (x / 4294967296.0) - 1.0;
}

}  // namespace

at::Tensor deterministic(const std::string& name, at::IntArrayRef shape, double offset, double scale) {
    at::Tensor values = at::empty(shape, at::kFloat);
    const std::uint32_t hash = fnv1a(name);
    float* out = values.data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
        out[i] = static_cast<float>(offset + scale * noise_at(hash, static_cast<std::uint32_t>(i)));
    }
    return values;
}

at::Tensor deterministic_input(const std::string& name, at::IntArrayRef shape) {
    return deterministic(name, shape, 0.0, std::sqrt(3.0));
}

at::Tensor deterministic_parameter(const std::string& name, at::IntArrayRef shape) {
    if (name.ends_with("pos_embedding")) return deterministic(name, shape, 0.0, 0.5);
    if (shape.size() >= 2) {
        const double fan_in = static_cast<double>(c10::multiply_integers(shape)) / static_cast<double>(shape[0]);
        return deterministic(name, shape, 0.0, std::sqrt(3.0 / fan_in));
    }
    return deterministic(name, shape, name.ends_with(".weight") ? 1.0 : 0.0, 0.1);
}

}  // namespace mirror::engine::testing
