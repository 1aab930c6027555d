#pragma once

// Refuses a misshapen input by its name.

#include <ATen/ATen.h>

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace mirror::engine::magic_mirror {

inline constexpr std::int64_t kAnySize = -1;  // At least 1.

// EngineError (ShapeMismatch, InvalidRequest if undefined) that names the tensor, its shape and the one it must have.
void check_shape(std::string_view name, const at::Tensor& tensor, std::initializer_list<std::int64_t> shape);

}  // namespace mirror::engine::magic_mirror
