#pragma once

// A face box as a row of numbers, for files.

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/core/face.h"

namespace mirror::engine::training {

inline constexpr std::int64_t kFaceNumbers = 14;  // A box and five landmarks.

at::Tensor numbers_of(const FaceBox& face);
// The score is 1.
FaceBox face_from(const at::Tensor& numbers);

}  // namespace mirror::engine::training
