#pragma once

// Pieces of real work at stated sizes on random weights: what the benchmark and the GPU check time.

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/weights/weight_source.h"

namespace mirror::engine::bench {

struct BenchCase {
    std::string name;
    std::string what;
    // Builds the model at the placement and returns one run of it; the result is the model's output.
    std::function<std::function<at::Tensor()>(const Placement&)> prepare;
};

const std::vector<BenchCase>& bench_cases();

}  // namespace mirror::engine::bench
