#include "engine/training/people/pen.h"

namespace mirror::people {

namespace {

constexpr double kOutline = 0.046;  // Of a head's half height.
constexpr double kInkOutline = 0.06;
constexpr double kNeonOutline = 0.055;
constexpr double kNeonGlow = 0.22;
constexpr Vec kMisprint{0.045, 0.03};  // Ink: the wash does not quite meet the lines.

constexpr Colour kPaper = rgb(0xF7F1E3);
constexpr Colour kInk = rgb(0x26212C);
constexpr Colour kNight = rgb(0x0E0B24);
constexpr Colour kSoftShadow = rgb(0xD8A2A8);  // Shadows are warm and keep their colour.

constexpr Colour neon(Colour c) {
    const float most = std::max({c.r, c.g, c.b, 0.3f});
    const float gain = 1.0f / most;
    const Colour bright =
        saturated({std::min(c.r * gain, 1.0f), std::min(c.g * gain, 1.0f), std::min(c.b * gain, 1.0f)}, 1.5);
    return most < 0.35f ? mix(bright, rgb(0x8B7BFF), 0.6) : bright;
}

}  // namespace

Colour ground_colour(Style style) {
    if (style == Style::Ink) return kPaper;
    return style == Style::Neon ? kNight : kWhite;
}

Colour Pen::surface(Colour colour) const {
    switch (style_) {
        case Style::Cartoon:
            return colour;
        case Style::Soft:
            return lighter(colour, 0.04);
        case Style::Ink:
            return mix(colour, kPaper, 0.36);
        case Style::Neon:
            return mix(times(colour, rgb(0xB466B8)), kNight, 0.36);
    }
    return colour;
}

Colour Pen::line_colour(Colour colour) const {
    switch (style_) {
        case Style::Cartoon:
            return mix(darker(colour, 0.48), rgb(0x3A2A3E), 0.15);
        case Style::Soft:
            return darker(saturated(colour, 1.1), 0.35);
        case Style::Ink:
            return kInk;
        case Style::Neon:
            return neon(colour);
    }
    return colour;
}

Colour Pen::backdrop_colour(Colour colour) const {
    switch (style_) {
        case Style::Cartoon:
            return colour;
        case Style::Soft:
            return lighter(saturated(colour, 0.75), 0.16);
        case Style::Ink:
            return mix(saturated(colour, 0.8), kPaper, 0.64);
        case Style::Neon:
            return mix(times(colour, rgb(0x6A5AB8)), kNight, 0.5);
    }
    return colour;
}

void Pen::part(const Path& path, Colour colour, Edge edge) const {
    if (style_ == Style::Soft) {
        const Box box = box_of(path);
        const double reach = 0.75 * std::max(box.size().x, box.size().y);
        const Vec lit = box.centre() + Vec{light_side_ * 0.28 * box.size().x, -0.3 * box.size().y};
        canvas_.fill(path,
                     Paint::radial(lit, lighter(surface(colour), 0.14), 1.25 * reach, times(colour, kSoftShadow)));
        return;
    }
    canvas_.fill(style_ == Style::Ink ? path.moved(kMisprint) : path, surface(colour));
    if (edge == Edge::Outlined) outline(path, colour);
}

void Pen::outline(const Path& path, Colour colour) const {
    switch (style_) {
        case Style::Cartoon:
            canvas_.stroke(path, {kOutline, 0, 0}, line_colour(colour));
            break;
        case Style::Soft:
            break;
        case Style::Ink:
            canvas_.stroke(path, {kInkOutline, 0, 0}, kInk);
            break;
        case Style::Neon:
            canvas_.stroke(path, {kNeonOutline, 0, kNeonGlow}, Paint(line_colour(colour), 0.45));
            canvas_.stroke(path, {kNeonOutline, 0, 0}, lighter(line_colour(colour), 0.2));
            break;
    }
}

void Pen::patch(const Path& path, Colour colour, double opacity) const {
    canvas_.fill(path, Paint(surface(colour), opacity));
}

void Pen::glow(Vec centre, double radius, Colour colour, double opacity) const {
    canvas_.fill(circle(centre, radius), Paint::spot(centre, radius, surface(colour), opacity));
}

void Pen::line(const Path& path, Colour colour, double width, double taper) const {
    Colour drawn = colour;
    if (style_ == Style::Ink) drawn = mix(colour, kInk, 0.75);
    if (style_ == Style::Neon) drawn = neon(colour);
    if (style_ == Style::Neon) canvas_.stroke(path, {width, taper, 0.12}, Paint(drawn, 0.35));
    canvas_.stroke(path, {width, taper, 0}, drawn);
}

void Pen::bright(const Path& path, Colour colour) const {
    canvas_.fill(path, style_ == Style::Neon ? mix(colour, rgb(0xC9D8FF), 0.35) : colour);
}

void Pen::shade(const Path& path, Colour colour) const {
    if (style_ == Style::Ink || style_ == Style::Soft) return;
    const Box box = box_of(path);
    canvas_.clip(path);
    const double shift = -light_side_ * 0.16 * box.size().x;
    // What the part, moved towards the light, does not cover: a crescent on the far side.
    const Vec centre = box.centre() + Vec{shift, 0};
    const double far = centre.x - light_side_ * 0.36 * box.size().x;
    const double edge = box.centre().x - light_side_ * 0.8 * box.size().x;
    const double top = box.low.y - 0.1, bottom = box.high.y + 0.1, middle = far - light_side_ * 0.1 * box.size().x;
    canvas_.fill(blob({{edge, top},
                       {edge, top},
                       {far + light_side_ * 0.08 * box.size().x, top},
                       {middle, box.centre().y},
                       {far + light_side_ * 0.3 * box.size().x, bottom},
                       {edge, bottom},
                       {edge, bottom}}),
                 Paint(darker(saturated(surface(colour), 1.15), 0.2), style_ == Style::Neon ? 0.7 : 0.75));
    canvas_.clear_clip();
}

void Pen::shine(const Path& path, double width, double opacity) const {
    if (style_ == Style::Ink || style_ == Style::Neon) return;
    canvas_.stroke(path, {width, 0.6, style_ == Style::Soft ? 0.1 : 0.0}, Paint(kWhite, opacity));
}

void Pen::backdrop(const Path& path, Colour colour) const { canvas_.fill(path, backdrop_colour(colour)); }

void Pen::backdrop(const Path& path, Colour top, Colour bottom) const {
    const Box box = box_of(path);
    canvas_.fill(path, Paint::linear({0, box.low.y}, backdrop_colour(top), {0, box.high.y}, backdrop_colour(bottom)));
}

void Pen::backdrop_line(const Path& path, Colour colour, double width) const {
    canvas_.stroke(path, {width, 0, 0}, backdrop_colour(colour));
}

}  // namespace mirror::people
