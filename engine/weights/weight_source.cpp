#include "engine/weights/weight_source.h"

#include <algorithm>

#include "engine/core/result.h"
#include "engine/core/utf8.h"

namespace mirror::engine {

namespace {

class CheckedSource : public WeightSource {
public:
    explicit CheckedSource(std::shared_ptr<WeightSource> source) : source_(std::move(source)) {}

    bool has(const std::string& name) const override { return source_->has(name); }
    std::vector<std::int64_t> shape_of(const std::string& name) const override { return source_->shape_of(name); }
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override {
        source_->check(name, shape);
        return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(at::kMeta));
    }

private:
    std::shared_ptr<WeightSource> source_;
};

}  // namespace

at::Tensor ShapeRecorder::read(const std::string& name, at::IntArrayRef shape) {
    const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    if (!known) entries_.push_back({name, shape.vec()});
    return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(at::kMeta));
}

std::vector<std::int64_t> ShapeRecorder::shape_of(const std::string& name) const {
    for (const auto& entry : entries_) {
        if (entry.name == name) return entry.shape;
    }
    return {};
}

std::int64_t ShapeRecorder::parameter_count() const {
    std::int64_t count = 0;
    for (const auto& entry : entries_) count += c10::multiply_integers(entry.shape);
    return count;
}

WeightScope WeightScope::operator/(std::string_view name) const {
    return {source_, placement_, prefix_ + std::string(name) + "."};
}

WeightScope WeightScope::operator/(std::int64_t index) const { return *this / std::to_string(index); }

bool WeightScope::has(std::string_view name) const { return source_->has(full_name(name)); }

at::Tensor WeightScope::tensor(std::string_view name, at::IntArrayRef shape) const {
    const at::Tensor stored = tensor_as_stored(name, shape);
    if (stored.is_meta()) return stored;
    if (!stored.is_floating_point()) {
        throw EngineError(ErrorCode::ShapeMismatch, "The tensor " + escape_for_message(full_name(name), 128) +
                                                        " holds no floating-point numbers.");
    }
    return stored.to(placement_.device, placement_.dtype);
}

WeightScope WeightScope::checked_only() const {
    return {std::make_shared<CheckedSource>(source_), placement_, prefix_};
}

at::Tensor WeightScope::tensor_as_stored(std::string_view name, at::IntArrayRef shape) const {
    return source_->read(full_name(name), shape);
}

std::string WeightScope::full_name(std::string_view name) const { return prefix_ + std::string(name); }

}  // namespace mirror::engine
