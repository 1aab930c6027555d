#pragma once

// What saving a picture as JPEG takes from it, without a file: half the resolution in colour, and rounded cosine
// transforms of 8 x 8 blocks (ITU-T T.81, annex A and K; JFIF's colours).

#include <ATen/ATen.h>

namespace mirror::engine::training {

// picture [3, H, W] in -1..1, any size; quality 1 to 100 as libjpeg counts it. The result has whole levels of 255.
at::Tensor jpeg_loss(const at::Tensor& picture, int quality);

}  // namespace mirror::engine::training
