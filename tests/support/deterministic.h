#pragma once

// Weights and inputs made from their names alone, so that two programs can compare numbers without
// exchanging files.

#include <memory>
#include <string>

#include "engine/weights/weight_source.h"

namespace mirror::engine::testing {

// float32 values off + scale * r of the hash of `name` and the flat index.
at::Tensor deterministic(const std::string& name, at::IntArrayRef shape, double offset, double scale);

// An input or noise: offset 0, scale sqrt(3).
at::Tensor deterministic_input(const std::string& name, at::IntArrayRef shape);

// A parameter, with offset and scale by its rank and the end of its name.
at::Tensor deterministic_parameter(const std::string& name, at::IntArrayRef shape);

// Has every tensor, made by deterministic_parameter.
class DeterministicSource : public WeightSource {
public:
    bool has(const std::string&) const override { return true; }
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override {
        return deterministic_parameter(name, shape);
    }
    std::vector<std::int64_t> shape_of(const std::string&) const override { return {}; }
};

inline WeightScope deterministic_weights(at::ScalarType dtype = at::kFloat) {
    return {std::make_shared<DeterministicSource>(), Placement{dtype, at::kCPU}};
}

}  // namespace mirror::engine::testing
