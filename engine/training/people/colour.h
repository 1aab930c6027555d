#pragma once

// Colours as sRGB numbers from 0 to 1, mixed as they are: flat pictures need no linear light.

#include <algorithm>
#include <cstdint>

namespace mirror::people {

struct Colour {
    float r = 0, g = 0, b = 0;
};

constexpr Colour rgb(std::uint32_t hex) {
    return {static_cast<float>((hex >> 16) & 255) / 255, static_cast<float>((hex >> 8) & 255) / 255,
            static_cast<float>(hex & 255) / 255};
}

inline constexpr Colour kWhite{1, 1, 1};
inline constexpr Colour kBlack{0, 0, 0};

constexpr Colour mix(Colour a, Colour b, double share) {
    const auto s = static_cast<float>(share);
    return {a.r + (b.r - a.r) * s, a.g + (b.g - a.g) * s, a.b + (b.b - a.b) * s};
}

constexpr Colour darker(Colour c, double share) { return mix(c, kBlack, share); }
constexpr Colour lighter(Colour c, double share) { return mix(c, kWhite, share); }

constexpr Colour times(Colour a, Colour b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }

constexpr float brightness(Colour c) { return 0.299f * c.r + 0.587f * c.g + 0.114f * c.b; }

// Away from its own grey; below 1 towards it.
constexpr Colour saturated(Colour c, double factor) {
    const float grey = brightness(c), f = static_cast<float>(factor);
    const auto channel = [&](float value) { return std::clamp(grey + (value - grey) * f, 0.0f, 1.0f); };
    return {channel(c.r), channel(c.g), channel(c.b)};
}

}  // namespace mirror::people
