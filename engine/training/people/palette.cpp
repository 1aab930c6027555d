#include "engine/training/people/palette.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mirror::people {

namespace {

template <std::size_t Size, typename Enum>
Colour entry(const std::array<Colour, Size>& colours, Enum which) {
    return colours[static_cast<std::size_t>(which)];
}

}  // namespace

Colour skin_colour(const Identity& identity) {
    static constexpr std::array<Colour, 5> kTones = {rgb(0xFFE3D3), rgb(0xF6C6A0), rgb(0xD79A6B), rgb(0x9A6241),
                                                     rgb(0x5E3A2B)};
    const double place = (identity.trait(Trait::SkinTone) + 1) * 0.5 * (kTones.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(place), kTones.size() - 2);
    const Colour tone = mix(kTones[below], kTones[below + 1], place - static_cast<double>(below));
    const double undertone = identity.trait(Trait::SkinUndertone);
    return undertone < 0 ? mix(tone, rgb(0xF08A84), -0.16 * undertone) : mix(tone, rgb(0xE2B04A), 0.16 * undertone);
}

Colour hair_colour(const Identity& identity) {
    static constexpr std::array<Colour, kHairColours> kColours = {rgb(0x2B2733), rgb(0x4E3326), rgb(0x87502E),
                                                                  rgb(0xCF5A2B), rgb(0xEDC65F), rgb(0x9B9CA8),
                                                                  rgb(0xEEECE8), rgb(0x3F72CC), rgb(0xEC7FAE)};
    return entry(kColours, identity.hair_colour);
}

Colour brow_colour(const Identity& identity) {
    const Colour hair = hair_colour(identity);
    // Pale brows would vanish on pale skin.
    return brightness(hair) > 0.6f ? mix(hair, darker(skin_colour(identity), 0.6), 0.45) : darker(hair, 0.25);
}

Colour lip_colour(const Identity& identity) {
    const double red = identity.sex == Sex::Female && identity.age != Age::Child ? 0.55 : 0.3;
    return mix(darker(skin_colour(identity), 0.22), rgb(0xC03A48), red);
}

Colour colour_of(EyeColour colour) {
    static constexpr std::array<Colour, kEyeColours> kColours = {rgb(0x6E4124), rgb(0x3B90DC), rgb(0x4BA35A),
                                                                 rgb(0x8796A8), rgb(0xD68E26)};
    return entry(kColours, colour);
}

Colour colour_of(AccentColour colour) {
    static constexpr std::array<Colour, kAccentColours> kColours = {rgb(0xD8413F), rgb(0xF3B930), rgb(0x3CA266),
                                                                    rgb(0x3C78D2), rgb(0x8A56C6), rgb(0x33323B)};
    return entry(kColours, colour);
}

Colour colour_of(GarmentColour colour) {
    static constexpr std::array<Colour, kGarmentColours> kColours = {rgb(0xDB4540), rgb(0xF18B34), rgb(0xF6CC46),
                                                                     rgb(0x4AA75C), rgb(0x3C74CE), rgb(0x8B5AC0),
                                                                     rgb(0xF5F3EF), rgb(0x3B3B46)};
    return entry(kColours, colour);
}

Colour tint_of(Light light) {
    switch (light) {
        case Light::Neutral:
            return kWhite;
        case Light::Warm:
            return {1.04f, 0.95f, 0.82f};
        case Light::Cool:
            return {0.86f, 0.96f, 1.06f};
        case Light::Dim:
            return {0.74f, 0.74f, 0.80f};
    }
    return kWhite;
}

}  // namespace mirror::people
