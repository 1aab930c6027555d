#pragma once

// Where a model's tensors come from: a checkpoint on disk, or a recorder that only learns which tensors a model asks
// for.

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mirror::engine {

// How many of a model's repeated layers are in memory at a time: all of them, or only the one that computes, perhaps
// with the next one on its way in. Changes no number.
enum class LayersHeld { All, Two, One };

// How a model's weights are placed when they are read: cast to a dtype, on a device, at once or layer by layer.
struct Placement {
    at::ScalarType dtype = at::kFloat;
    at::Device device = at::kCPU;
    LayersHeld layers = LayersHeld::All;
};

class WeightSource {
public:
    virtual ~WeightSource() = default;

    virtual bool has(const std::string& name) const = 0;
    // Throws what read() would say of the name and the shape, without reading.
    virtual void check(const std::string& /*name*/, at::IntArrayRef /*shape*/) const {}
    // The tensor as the file has it, mapped, not copied. EngineError (MissingTensor, ShapeMismatch) names the file, the
    // full name and both shapes.
    virtual at::Tensor read(const std::string& name, at::IntArrayRef shape) = 0;
    // The shape the source holds for `name`; empty if it has none.
    virtual std::vector<std::int64_t> shape_of(const std::string& name) const = 0;
};

// Answers every question with a meta tensor and keeps the list: parameter counts, `models init` and memory predictions
// come from constructing the real model on it, without memory.
class ShapeRecorder : public WeightSource {
public:
    struct Entry {
        std::string name;
        std::vector<std::int64_t> shape;
    };

    bool has(const std::string&) const override { return true; }
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override;
    std::vector<std::int64_t> shape_of(const std::string& name) const override;

    const std::vector<Entry>& entries() const { return entries_; }  // In order of first reading, each once.
    std::int64_t parameter_count() const;

private:
    std::vector<Entry> entries_;
};

// A place in a checkpoint's tree of names, and how its tensors are placed. Cheap to copy.
//
//     Attention(weights / "attn1")
//     Linear(weights / "to_out" / 0, inputs, outputs)
class WeightScope {
public:
    WeightScope(std::shared_ptr<WeightSource> source, Placement placement)
        : source_(std::move(source)), placement_(placement) {}

    WeightScope operator/(std::string_view name) const;
    WeightScope operator/(std::int64_t index) const;

    bool has(std::string_view name) const;
    // Cast to the placement's dtype and moved to its device; when nothing changes it aliases the mapped file.
    at::Tensor tensor(std::string_view name, at::IntArrayRef shape) const;
    // As tensor(), without the cast: buffers that keep their type.
    at::Tensor tensor_as_stored(std::string_view name, at::IntArrayRef shape) const;

    // The same place with every name and shape checked and meta tensors in place of the data: a layer constructed on it
    // is found complete, or refused, without memory.
    WeightScope checked_only() const;

    const Placement& placement() const { return placement_; }
    WeightScope with(Placement placement) const { return {source_, placement, prefix_}; }
    std::string full_name(std::string_view name) const;

private:
    WeightScope(std::shared_ptr<WeightSource> source, Placement placement, std::string prefix)
        : source_(std::move(source)), placement_(placement), prefix_(std::move(prefix)) {}

    std::shared_ptr<WeightSource> source_;
    Placement placement_;
    std::string prefix_;  // Ends with '.' unless empty.
};

}  // namespace mirror::engine
