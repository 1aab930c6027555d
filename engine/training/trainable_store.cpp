#include "engine/training/trainable_store.h"

#include "engine/core/result.h"
#include "engine/core/utf8.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kAlignment = 16;  // Numbers; a parameter begins on a cache line.

std::int64_t aligned(std::int64_t count) { return (count + kAlignment - 1) / kAlignment * kAlignment; }

// The part of a buffer with a shape of its own, sharing memory. Not a view for autograd, so that it can be a leaf.
at::Tensor part_of(const at::Tensor& buffer, const TrainableStore::Parameter& parameter) {
    const at::Tensor view = buffer.narrow(0, parameter.begin, parameter.count).view(parameter.shape);
    return at::empty({0}, buffer.options()).set_(view.storage(), view.storage_offset(), view.sizes(), view.strides());
}

std::string shape_text(at::IntArrayRef shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + "]";
}

}  // namespace

TrainableStore::TrainableStore(const std::vector<ShapeRecorder::Entry>& entries, const Initializer& initial,
                               at::Device device) {
    std::int64_t size = 0;
    for (const auto& entry : entries) {
        index_.emplace(entry.name, parameters_.size());
        const std::int64_t count = c10::multiply_integers(entry.shape);
        parameters_.push_back({entry.name, entry.shape, size, count});
        size += aligned(count);
    }
    const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
    values_ = at::zeros({size}, options);
    gradients_ = at::zeros({size}, options);
    for (const Parameter& parameter : parameters_) {
        at::Tensor leaf = part_of(values_, parameter);
        leaf.copy_(initial(parameter.name, parameter.shape));
        leaf.requires_grad_(true);
        leaf.mutable_grad() = part_of(gradients_, parameter);
        leaves_.push_back(leaf);
    }
}

at::Tensor TrainableStore::read(const std::string& name, at::IntArrayRef shape) {
    const auto found = index_.find(name);
    if (found == index_.end())
        throw EngineError(ErrorCode::MissingTensor, "Nothing trains a tensor " + escape_for_message(name, 128) + ".");
    const Parameter& parameter = parameters_[found->second];
    if (!shape.equals(parameter.shape)) {
        throw EngineError(ErrorCode::ShapeMismatch, "The trained tensor " + escape_for_message(name, 128) + " is " +
                                                        shape_text(parameter.shape) + ", not " + shape_text(shape) +
                                                        ".");
    }
    return leaves_[found->second];
}

std::vector<std::int64_t> TrainableStore::shape_of(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? std::vector<std::int64_t>() : parameters_[found->second].shape;
}

std::int64_t TrainableStore::parameter_count() const {
    std::int64_t count = 0;
    for (const Parameter& parameter : parameters_) count += parameter.count;
    return count;
}

TensorMap TrainableStore::named(const at::Tensor& buffer, at::ScalarType dtype) const {
    TensorMap tensors;
    for (const Parameter& parameter : parameters_) {
        const at::Tensor part = buffer.narrow(0, parameter.begin, parameter.count).view(parameter.shape);
        tensors[parameter.name] = part.to(at::kCPU, dtype, /*non_blocking=*/false, /*copy=*/true);
    }
    return tensors;
}

Initializer values_from(const std::shared_ptr<WeightSource>& source) {
    return [source](const std::string& name, at::IntArrayRef shape) {
        return source->read(name, shape).to(at::kCPU, at::kFloat);
    };
}

}  // namespace mirror::engine::training
