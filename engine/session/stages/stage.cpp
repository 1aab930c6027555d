#include "engine/session/stages/stage.h"

#include "engine/core/utf8.h"
#include "engine/formats/safetensors.h"

namespace mirror::engine::stages {

namespace {

// "[2, any, 16]"
std::string pattern_text(at::IntArrayRef shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i > 0 ? ", " : "") + (shape[i] == kAny ? std::string("any") : std::to_string(shape[i]));
    return text + "]";
}

bool fits(at::IntArrayRef actual, at::IntArrayRef wanted) {
    if (actual.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i] == kAny ? actual[i] < 1 : actual[i] != wanted[i]) return false;
    return true;
}

}  // namespace

void refuse_input(const std::string& name, const at::Tensor& tensor, const std::string& wanted) {
    throw EngineError(ErrorCode::ShapeMismatch, "input '" + name + "' has the shape " +
                                                    formats::shape_text(tensor.sizes()) + ", wanted is " + wanted);
}

void refuse_option(const std::string& option, const std::string& wanted) {
    throw EngineError(ErrorCode::InvalidRequest, option + " wants " + wanted);
}

std::size_t StageInputs::rank(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? 0 : static_cast<std::size_t>(found->second.dim());
}

const at::Tensor& StageInputs::find(const std::string& name, at::IntArrayRef shape) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
        throw EngineError(ErrorCode::MissingTensor,
                          "input '" + name + "' is missing in '" + escape_for_message(origin_) + "'");
    if (!fits(found->second.sizes(), shape)) refuse_input(name, found->second, pattern_text(shape));
    return found->second;
}

at::Tensor StageInputs::floats(const std::string& name, at::IntArrayRef shape, const Placement& placement) const {
    const at::Tensor& tensor = find(name, shape);
    const auto type = tensor.scalar_type();
    if (type != at::kFloat && type != at::kHalf && type != at::kBFloat16)
        throw EngineError(ErrorCode::InvalidRequest, "input '" + name + "' must be F32, F16 or BF16");
    return tensor.to(placement.device, placement.dtype);
}

at::Tensor StageInputs::integers(const std::string& name, at::IntArrayRef shape, const Placement& placement) const {
    const at::Tensor& tensor = find(name, shape);
    if (tensor.scalar_type() != at::kLong)
        throw EngineError(ErrorCode::InvalidRequest, "input '" + name + "' must be I64");
    return tensor.to(placement.device);
}

}  // namespace mirror::engine::stages
