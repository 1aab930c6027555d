#pragma once

// The resize that the vision towers were trained with.

#include "engine/core/frame.h"

namespace mirror::face {

// Antialiased bicubic (a = -0.5) with Pillow's semantics: rows first, each pass rounded to 8 bits.
Frame resize_bicubic(const Frame& picture, int width, int height);

// The shorter side becomes `size` and the middle size x size is cut out, as CLIP's published preprocessing does it.
Frame resize_and_centre(const Frame& picture, int size);

}  // namespace mirror::face
