#pragma once

// The ten backgrounds: few large calm shapes, because small random ones are noise to a small model.

#include <cstdint>

#include "engine/training/people/pen.h"

namespace mirror::people {

// Coordinates: y from -1 at the top to 1 at the bottom, x 0 in the middle. Shapes reach far enough beyond for moving
// cameras and pictures up to three times as wide as high. The seed mirrors and shifts the layout a little.
void draw_place(const Pen& pen, Place place, std::uint64_t seed);

}  // namespace mirror::people
