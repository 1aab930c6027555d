#pragma once

// Random numbers that depend on nothing but a seed, a purpose and a position: whoever knows the position of a run knows
// all of its randomness, so that a resumed run draws the same.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cstdint>

namespace mirror::engine::training {

// What the numbers are for; each has a sequence of its own.
enum class Purpose : std::uint64_t { Sample = 1, Noise, Time, Dropout, Augment, Initial, Grid };

class RandomStream {
public:
    RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t position)
        : state_(mixed(mixed(seed ^ mixed(static_cast<std::uint64_t>(purpose))) ^ position)) {}

    std::uint64_t bits() { return mixed(state_ += 0x9E3779B97F4A7C15ULL); }
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }  // 0 <= x < 1
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    std::int64_t below(std::int64_t count) { return static_cast<std::int64_t>(uniform() * static_cast<double>(count)); }
    bool chance(double probability) { return uniform() < probability; }
    // Normally distributed float32, made on the CPU so that every device sees the same.
    at::Tensor normal(at::IntArrayRef shape) {
        return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(bits()), at::TensorOptions(at::kFloat));
    }

private:
    static std::uint64_t mixed(std::uint64_t x) {  // splitmix64
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        return x ^ (x >> 31);
    }

    std::uint64_t state_;
};

}  // namespace mirror::engine::training
