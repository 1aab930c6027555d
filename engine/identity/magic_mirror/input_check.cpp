#include "engine/identity/magic_mirror/input_check.h"

#include <string>

#include "engine/core/result.h"
#include "engine/formats/safetensors.h"
#include "engine/identity/magic_mirror/joined.h"

namespace mirror::engine::magic_mirror {

namespace {

std::string wanted_text(std::initializer_list<std::int64_t> shape) {
    std::string text = "[";
    for (const std::int64_t size : shape) {
        if (text.size() > 1) text += ", ";
        text += size == kAnySize ? "1 or more" : std::to_string(size);
    }
    return text + "]";
}

bool fits(at::IntArrayRef sizes, std::initializer_list<std::int64_t> shape) {
    if (sizes.size() != shape.size()) return false;
    std::size_t axis = 0;
    for (const std::int64_t size : shape) {
        const std::int64_t given = sizes[axis++];
        if (size == kAnySize ? given < 1 : given != size) return false;
    }
    return true;
}

}  // namespace

void check_shape(std::string_view name, const at::Tensor& tensor, std::initializer_list<std::int64_t> shape) {
    if (!tensor.defined()) throw EngineError(ErrorCode::InvalidRequest, joined({name, " is missing"}));
    if (fits(tensor.sizes(), shape)) return;
    throw EngineError(ErrorCode::ShapeMismatch, joined({name, " has the shape ", formats::shape_text(tensor.sizes()),
                                                        " but must have ", wanted_text(shape)}));
}

}  // namespace mirror::engine::magic_mirror
