#pragma once

// The one fact of a photograph's EXIF that matters here: how the camera was held.

#include <cstdint>
#include <span>

namespace mirror::face {

// Orientation 1 to 8 of a file's EXIF block; 1 if there is none, if it is damaged or if it says something else.
int jpeg_orientation(std::span<const std::uint8_t> file);
int png_orientation(std::span<const std::uint8_t> file);
int webp_orientation(std::span<const std::uint8_t> file);

// As above, of the block itself: a TIFF header and its first directory.
int exif_orientation(std::span<const std::uint8_t> block);

}  // namespace mirror::face
