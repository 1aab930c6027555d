#pragma once

// Pictures side by side in one: the steps in which a clip formed, the frames of a clip.

#include <cstddef>
#include <vector>

#include "engine/core/frame.h"

namespace mirror::cli {

// Each picture brought to `height` pixels (smoothly, its proportions kept), a gap of white between.
Frame picture_strip(const std::vector<Frame>& pictures, int height, int gap);

// At most `wanted` positions of `total`, evenly spaced, the first and the last among them.
std::vector<std::size_t> spread_positions(std::size_t total, std::size_t wanted);

}  // namespace mirror::cli
