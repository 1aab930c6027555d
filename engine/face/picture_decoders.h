#pragma once

// One function for each format: the stored pixels as 8-bit RGB on white. The limits were checked before.

#include "engine/core/frame.h"
#include "engine/core/result.h"
#include "engine/face/bytes.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mirror::face {

struct PictureSize {
    std::int64_t width = 0;
    std::int64_t height = 0;
    std::int64_t bytes_per_pixel = 3;  // Of memory, at most, while it is decoded.
};

// What the header says; nothing if it says nothing sensible.
std::optional<PictureSize> jpeg_size(Bytes file);
std::optional<PictureSize> png_size(Bytes file);
std::optional<PictureSize> webp_size(Bytes file);
std::optional<PictureSize> bmp_size(Bytes file);

struct TiffHeader {
    PictureSize size;
    int orientation = 1;
};
std::optional<TiffHeader> tiff_header(Bytes file);

// Errors: MalformedFile. The sentence calls the file `name`. JPEG, in which the largest photographs come, is turned
// upright row by row; the others come as they are stored.
Result<Frame> decode_jpeg(Bytes file, int orientation, const std::string& name);
Result<Frame> decode_png(Bytes file, const std::string& name);
Result<Frame> decode_webp(Bytes file, const std::string& name);
Result<Frame> decode_bmp(Bytes file, const std::string& name);
Result<Frame> decode_tiff(Bytes file, const std::string& name);

inline Frame make_frame(std::int64_t width, std::int64_t height) {
    Frame frame;
    frame.width = static_cast<int>(width);
    frame.height = static_cast<int>(height);
    frame.rgb.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    return frame;
}

// A frame for a stored picture of this size once it is upright, and the place of one stored row in it.
Frame make_upright_frame(std::int64_t stored_width, std::int64_t stored_height, int orientation);
void place_row(const std::uint8_t* row, int y, int orientation, Frame& frame);

// Four bytes a pixel become three, in the same memory: `join` makes the three of the four.
template <typename Join>
Frame packed(std::vector<std::uint8_t>&& pixels, int width, int height, Join join) {
    const std::size_t count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    for (std::size_t i = 0; i < count; ++i) join(pixels.data() + 4 * i, pixels.data() + 3 * i);
    pixels.resize(3 * count);
    return {width, height, std::move(pixels)};
}

inline std::uint8_t on_white(unsigned value, unsigned alpha) {
    return static_cast<std::uint8_t>((value * alpha + 255u * (255u - alpha) + 127u) / 255u);
}

// For colours with their opacity.
inline void join_on_white(const std::uint8_t* rgba, std::uint8_t* rgb) {
    const unsigned alpha = rgba[3];  // Where both lie over each other, it is read before it is written over.
    for (int c = 0; c < 3; ++c) rgb[c] = on_white(rgba[c], alpha);
}

inline Error damaged(const std::string& name, const std::string& format) {
    return {ErrorCode::MalformedFile, name + " is damaged and cannot be read as a " + format + " picture."};
}

}  // namespace mirror::face
