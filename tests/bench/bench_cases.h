#pragma once

// Pieces of real work at stated sizes on random weights: what the benchmark and the GPU check time.

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/weights/weight_source.h"

namespace mirror::engine::bench {

// Normal weights of variance 1 / fan-in, norms at 1: sizes are true, values are not. Drawn on the CPU in order of
// reading.
class RandomSource : public WeightSource {
public:
    explicit RandomSource(std::uint64_t seed);

    bool has(const std::string& name) const override;
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override;
    std::vector<std::int64_t> shape_of(const std::string&) const override { return {}; }

private:
    at::Generator random_;
};

struct BenchCase {
    std::string name;
    std::string what;
    // Builds the model at the placement and returns one run of it; the result is the model's output.
    std::function<std::function<at::Tensor()>(const Placement&)> prepare;
};

const std::vector<BenchCase>& bench_cases();

}  // namespace mirror::engine::bench
