#pragma once

// Weights for measuring time: sizes are true, values are not.

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "engine/weights/weight_source.h"

namespace mirror::engine {

// Normal weights of variance 1 / fan-in, norms at 1, biases at 0. Drawn on the device, in order of reading, and rounded
// to bfloat16, so that the model is the same in every precision.
class RandomWeights : public WeightSource {
public:
    explicit RandomWeights(std::uint64_t seed, at::Device device = at::kCPU);

    bool has(const std::string&) const override { return true; }
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override;
    std::vector<std::int64_t> shape_of(const std::string&) const override { return {}; }

private:
    std::uint64_t next_seed_;
    at::Device device_;
};

// Standard normal numbers, rounded to bfloat16; the same seed gives the same numbers on one kind of device.
at::Tensor random_input(at::IntArrayRef shape, std::uint64_t seed, const Placement& placement);

}  // namespace mirror::engine
