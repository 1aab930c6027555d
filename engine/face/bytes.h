#pragma once

// Numbers out of untrusted bytes. Reading beyond the end gives 0, so that callers check sizes where it matters to them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mirror::face {

using Bytes = std::span<const std::uint8_t>;

inline std::uint32_t byte_at(Bytes bytes, std::size_t at) { return at < bytes.size() ? bytes[at] : 0u; }

inline std::uint32_t little16(Bytes bytes, std::size_t at) { return byte_at(bytes, at) | byte_at(bytes, at + 1) << 8; }
inline std::uint32_t little24(Bytes bytes, std::size_t at) {
    return little16(bytes, at) | byte_at(bytes, at + 2) << 16;
}
inline std::uint32_t little32(Bytes bytes, std::size_t at) {
    return little16(bytes, at) | little16(bytes, at + 2) << 16;
}
inline std::uint32_t big16(Bytes bytes, std::size_t at) { return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1); }
inline std::uint32_t big32(Bytes bytes, std::size_t at) { return big16(bytes, at) << 16 | big16(bytes, at + 2); }

inline bool has_text(Bytes bytes, std::size_t at, std::string_view text) {
    if (at > bytes.size() || bytes.size() - at < text.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (bytes[at + i] != static_cast<std::uint8_t>(text[i])) return false;
    return true;
}

}  // namespace mirror::face
