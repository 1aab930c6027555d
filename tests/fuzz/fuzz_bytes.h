#pragma once

// What every fuzz target needs: the input as text, and a check that stays in optimised builds.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace mirror::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds) {
    if (!holds) std::abort();
}

// A sentence that a person can read on one line.
inline void require_sentence(const std::string& detail) {
    require(!detail.empty() && detail.size() < 300);
    for (const char character : detail) require(static_cast<unsigned char>(character) >= 0x20);
}

}  // namespace mirror::fuzz
