#pragma once

// PNG files with the standard library alone: stored, not compressed.

#include <array>
#include <cstdint>
#include <string>

#include "engine/core/frame.h"

namespace mirror::people_test {

inline std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
    return bytes;
}

inline std::uint32_t crc32(const std::string& bytes) {
    std::uint32_t crc = 0xFFFFFFFFu;
    for (const char byte : bytes) {
        crc ^= static_cast<std::uint8_t>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

inline std::string chunk(const std::string& name, const std::string& content) {
    return big_endian(static_cast<std::uint32_t>(content.size())) + name + content + big_endian(crc32(name + content));
}

// A zlib stream of stored blocks.
inline std::string stored(const std::string& bytes) {
    constexpr std::size_t kBlock = 65535;
    std::string out = "\x78\x01";
    std::uint32_t low = 1, high = 0;
    for (const char byte : bytes) {
        low = (low + static_cast<std::uint8_t>(byte)) % 65521;
        high = (high + low) % 65521;
    }
    for (std::size_t at = 0; at < bytes.size() || at == 0; at += kBlock) {
        const std::size_t size = std::min(kBlock, bytes.size() - at);
        out += at + size == bytes.size() ? '\1' : '\0';
        for (const std::size_t number : {size, ~size}) {
            out += static_cast<char>(number & 255);
            out += static_cast<char>(number >> 8 & 255);
        }
        out.append(bytes, at, size);
    }
    return out + big_endian(high << 16 | low);
}

inline std::string png_bytes(const Frame& frame) {
    std::string rows;
    for (int y = 0; y < frame.height; ++y) {
        rows += '\0';
        rows.append(reinterpret_cast<const char*>(frame.row(y)), static_cast<std::size_t>(frame.width) * 3);
    }
    const std::string header = big_endian(static_cast<std::uint32_t>(frame.width)) +
                               big_endian(static_cast<std::uint32_t>(frame.height)) +
                               std::string("\x08\x02\x00\x00\x00", 5);
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

}  // namespace mirror::people_test
