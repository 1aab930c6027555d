#pragma once

// Random numbers that are the same with every compiler and library: SplitMix64 (Steele, Lea and Flood, 2014).

#include <cstddef>
#include <cstdint>

namespace mirror::people {

class Random {
public:
    // `stream` separates uses of one seed.
    explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : state_(mix(seed + kStep * (2 * stream + 1))) {}

    std::uint64_t bits() { return mix(state_ += kStep); }
    // In [0, 1).
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    int below(int count) { return static_cast<int>(uniform() * count); }
    bool chance(double share) { return uniform() < share; }
    template <typename Enum>
    Enum any(int count) {
        return static_cast<Enum>(below(count));
    }
    // The index of a weight, in proportion to the weights.
    template <typename Weights>
    int weighted(const Weights& weights) {
        double sum = 0;
        for (const double weight : weights) sum += weight;
        double left = uniform() * sum;
        int index = 0, last = 0;
        for (const double weight : weights) {
            if (weight > 0) last = index;
            if (weight > 0 && left < weight) return index;
            left -= weight;
            ++index;
        }
        return last;
    }

private:
    static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ull;
    static constexpr std::uint64_t mix(std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
        return value ^ (value >> 31);
    }

    std::uint64_t state_;
};

}  // namespace mirror::people
