#pragma once

// Random numbers that depend on a seed, a tensor's name and the place in the tensor alone: in whatever order and
// however many threads fill it, a tensor is the same on every machine.

#include <cstdint>
#include <span>
#include <string_view>

namespace mirror::engine {

// value = offset + scale * normal
struct ValueRule {
    double offset = 0;
    double scale = 0;
};

// What keeps a random model alive: no part dies out, explodes or saturates. `component` is the folder ("vae").
ValueRule value_rule(std::string_view component, std::string_view name, std::span<const std::int64_t> shape);

std::uint64_t tensor_key(std::uint64_t seed, std::string_view component, std::string_view name);

// values[i] is number `first + i` of the tensor.
void fill_random(std::span<float> values, std::uint64_t key, std::uint64_t first, const ValueRule& rule);

}  // namespace mirror::engine
