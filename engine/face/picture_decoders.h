#pragma once

// One function for each format: the stored pixels as 8-bit RGB on white. The limits were checked before.

#include "engine/core/frame.h"
#include "engine/core/result.h"
#include "engine/face/bytes.h"

#include <optional>
#include <string>

namespace mirror::face {

struct PictureSize {
    std::int64_t width = 0;
    std::int64_t height = 0;
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

// Errors: MalformedFile. The sentence calls the file `name`.
Result<Frame> decode_jpeg(Bytes file, const std::string& name);
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

inline std::uint8_t on_white(unsigned value, unsigned alpha) {
    return static_cast<std::uint8_t>((value * alpha + 255u * (255u - alpha) + 127u) / 255u);
}

inline Error damaged(const std::string& name, const std::string& format) {
    return {ErrorCode::MalformedFile, name + " is damaged and cannot be read as a " + format + " picture."};
}

}  // namespace mirror::face
