#pragma once

// Pictures of faces as the networks want them: float32 planes with each network's own normalisation.

#include <ATen/ATen.h>

#include <span>

#include "engine/core/frame.h"

namespace mirror::engine {

// [N, 3, H, W], (x - 127.5) / 127.5. All pictures have the same size.
at::Tensor arcface_input(std::span<const Frame> faces);

// [N, 3, H, W], x / 255 minus CLIP's mean, divided by CLIP's standard deviation. All pictures have the same size.
at::Tensor clip_pixel_values(std::span<const Frame> pictures);

}  // namespace mirror::engine
