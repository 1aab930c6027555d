#pragma once

// Weights that are being trained: leaf tensors in float32 that ask for gradients. All of them lie one after the other
// in one buffer, and so do their gradients, so that the optimiser, the moving average and the state file see long rows
// of numbers instead of hundreds of tensors.

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/weights/tensor_file.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine::training {

// The first value of a parameter, float32 with that shape.
using Initializer = std::function<at::Tensor(const std::string& name, at::IntArrayRef shape)>;

class TrainableStore : public WeightSource {
public:
    struct Parameter {
        std::string name;
        std::vector<std::int64_t> shape;
        std::int64_t begin = 0;  // In the buffers.
        std::int64_t count = 0;

        bool is_matrix() const { return shape.size() > 1; }  // Only these are decayed.
    };

    TrainableStore(const std::vector<ShapeRecorder::Entry>& entries, const Initializer& initial, at::Device device);

    bool has(const std::string& name) const override { return index_.contains(name); }
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override;
    std::vector<std::int64_t> shape_of(const std::string& name) const override;

    const std::vector<Parameter>& parameters() const { return parameters_; }
    const at::Tensor& values() const { return values_; }        // [size], all parameters and the gaps between them.
    const at::Tensor& gradients() const { return gradients_; }  // [size]
    std::int64_t parameter_count() const;

    // Copies by name out of a buffer laid out as values() is, in that dtype.
    TensorMap named(const at::Tensor& buffer, at::ScalarType dtype) const;

private:
    std::vector<Parameter> parameters_;
    std::map<std::string, std::size_t> index_;
    at::Tensor values_, gradients_;
    std::vector<at::Tensor> leaves_;
};

// The tensors that a model asks for when it is constructed.
template <typename Model, typename Config>
std::vector<ShapeRecorder::Entry> tensors_of(const Config& config) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    const Model model(WeightScope(recorder, {}), config);
    return recorder->entries();
}

// The first values out of another source, a model trained before.
Initializer values_from(const std::shared_ptr<WeightSource>& source);

}  // namespace mirror::engine::training
