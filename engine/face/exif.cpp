#include "engine/face/exif.h"

#include <string_view>

#include "engine/face/bytes.h"

namespace mirror::face {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view exif_prefix = "Exif\0\0"sv;
constexpr std::uint32_t orientation_tag = 0x0112;
constexpr std::uint32_t short_type = 3;
constexpr std::uint32_t long_type = 4;

// PNG and WebP keep the block bare, but some writers copy the prefix that JPEG needs.
Bytes without_prefix(Bytes block) {
    return has_text(block, 0, exif_prefix) ? block.subspan(exif_prefix.size()) : block;
}

}  // namespace

int exif_orientation(Bytes block) {
    const bool little = has_text(block, 0, "II*\0"sv);
    if (!little && !has_text(block, 0, "MM\0*"sv)) return 1;
    const auto read16 = [&](std::size_t at) { return little ? little16(block, at) : big16(block, at); };
    const auto read32 = [&](std::size_t at) { return little ? little32(block, at) : big32(block, at); };

    const std::size_t directory = read32(4);
    if (directory < 8 || directory + 2 > block.size()) return 1;
    const std::size_t entries = read16(directory);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + i * 12;
        if (entry + 12 > block.size()) return 1;
        if (read16(entry) != orientation_tag) continue;
        const std::uint32_t type = read16(entry + 2);
        if (read32(entry + 4) != 1 || (type != short_type && type != long_type)) return 1;
        const std::uint32_t value = type == short_type ? read16(entry + 8) : read32(entry + 8);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

int jpeg_orientation(Bytes file) {
    std::size_t at = 2;
    while (at + 4 <= file.size() && file[at] == 0xFF) {
        const std::uint32_t marker = file[at + 1];
        if (marker == 0xFF) {  // A fill byte.
            ++at;
            continue;
        }
        if (marker == 0xDA || marker == 0xD9) break;  // The pixels, or the end.
        const std::size_t length = big16(file, at + 2);
        if (length < 2 || at + 2 + length > file.size()) break;
        if (marker == 0xE1 && has_text(file, at + 4, exif_prefix))
            return exif_orientation(file.subspan(at + 4 + exif_prefix.size(), length - 2 - exif_prefix.size()));
        at += 2 + length;
    }
    return 1;
}

int png_orientation(Bytes file) {
    std::size_t at = 8;
    while (at + 12 <= file.size()) {
        const std::size_t length = big32(file, at);
        if (length > file.size() - at - 12) break;
        if (has_text(file, at + 4, "eXIf")) return exif_orientation(without_prefix(file.subspan(at + 8, length)));
        at += 12 + length;
    }
    return 1;
}

int webp_orientation(Bytes file) {
    std::size_t at = 12;
    while (at + 8 <= file.size()) {
        const std::size_t length = little32(file, at + 4);
        if (length > file.size() - at - 8) break;
        if (has_text(file, at, "EXIF")) return exif_orientation(without_prefix(file.subspan(at + 8, length)));
        at += 8 + length + length % 2;
    }
    return 1;
}

}  // namespace mirror::face
