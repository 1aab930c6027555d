#include "engine/training/people/draw_place.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

constexpr double kFar = 4.5;

Path band(double top, double bottom) { return rectangle({-kFar, top}, {kFar, bottom}); }

// Ground with a wavy upper edge.
Path hills(double height, double wave, double phase) {
    std::vector<Vec> points;
    for (double x = -kFar; x <= kFar; x += 0.75) points.push_back({x, height + wave * std::sin(2.1 * x + phase)});
    points.push_back({kFar, 2.5});
    points.push_back({kFar, 2.5});
    points.push_back({-kFar, 2.5});
    points.push_back({-kFar, 2.5});
    return blob(std::move(points));
}

void palm(const Pen& pen, double x) {
    const Vec crown{x, -0.52};
    pen.backdrop_line(curve({{x + 0.22, 1.2}, {x + 0.12, 0.2}, crown}), rgb(0xB07A48), 0.1);
    for (const double angle : {-2.9, -2.1, -1.1, -0.25, 0.5}) {
        const Vec out{std::cos(angle), std::sin(angle)};
        pen.backdrop(blob({crown, crown, crown + Vec{0.26 * out.x, 0.26 * out.y - 0.1},
                           crown + Vec{0.5 * out.x, 0.42 * out.y + 0.12}, crown + Vec{0.5 * out.x, 0.42 * out.y + 0.12},
                           crown + Vec{0.24 * out.x, 0.24 * out.y + 0.05}}),
                     rgb(0x3FA35C));
    }
}

void beach(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 0.1), rgb(0x6CC4F5), rgb(0xDDF4FC));
    pen.backdrop(circle({-0.76, -0.7}, 0.18), rgb(0xFFF2A0));
    pen.backdrop(band(0.02 + shift, 0.5), rgb(0x2A9DC4));
    pen.backdrop(band(0.16 + shift, 0.5), rgb(0x4CBFD0));
    pen.backdrop(hills(0.42 + shift, 0.04, 0.4), rgb(0xF6DF9C));
    palm(pen, 0.8);
    palm(pen, 2.1);
}

void round_tree(const Pen& pen, Vec foot, double size, Colour leaves) {
    pen.backdrop(rectangle({foot.x - 0.08 * size, foot.y - 0.7 * size}, {foot.x + 0.08 * size, foot.y + 0.05}),
                 rgb(0x8A5A3A));
    pen.backdrop(circle({foot.x, foot.y - 1.0 * size}, 0.46 * size), leaves);
    pen.backdrop(circle({foot.x - 0.12 * size, foot.y - 1.12 * size}, 0.24 * size), lighter(leaves, 0.18));
}

void park(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 0.5), rgb(0x9EDCF7), rgb(0xF0FBEF));
    pen.backdrop(hills(0.12 + shift, 0.1, 0.8), rgb(0xA6DA72));
    round_tree(pen, {0.82, 0.4 + shift}, 0.85, rgb(0x4DA557));
    round_tree(pen, {-0.88, 0.3 + shift}, 0.62, rgb(0x5FB362));
    round_tree(pen, {1.9, 0.4 + shift}, 0.7, rgb(0x5FB362));
    round_tree(pen, {-1.9, 0.45 + shift}, 0.85, rgb(0x4DA557));
    pen.backdrop(hills(0.46 + shift, 0.06, 2.0), rgb(0x7CC257));
}

void tower(const Pen& pen, double left, double right, double top, Colour colour) {
    pen.backdrop(rectangle({left, top}, {right, 2}), colour);
    const double width = right - left, window = 0.26 * width;
    for (double y = top + 0.14; y < 0.7; y += 0.36) {
        for (const double x : {left + 0.15 * width, right - 0.15 * width - window})
            pen.backdrop(rectangle({x, y}, {x + window, y + 0.17}), rgb(0xFBE7A2));
    }
}

void city(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 0.8), rgb(0xBFC8F0), rgb(0xFBE6DE));
    pen.backdrop(rectangle({-0.5, -0.55 + shift}, {0.44, 2}), rgb(0xA9B2D6));
    tower(pen, -1.14, -0.6, -0.62 + shift, rgb(0x6F7CAE));
    tower(pen, 0.56, 1.12, -0.35 + shift, rgb(0x8089B8));
    tower(pen, -2.3, -1.4, -0.2 + shift, rgb(0x8089B8));
    tower(pen, 1.5, 2.2, -0.75 + shift, rgb(0x6F7CAE));
    pen.backdrop(band(0.78, 2.5), rgb(0x6A6D80));
}

void forest(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 2.5), rgb(0x2F6E4C), rgb(0x7DB276));
    for (const double x : {-2.6, -1.9, -1.36, -0.84, 0.7, 1.02, 1.6, 2.3}) {
        const double wide = x < 0 ? 0.1 : 0.075;
        pen.backdrop(rectangle({x - wide, -2}, {x + wide, 2}), x < 0 ? rgb(0x6A4630) : rgb(0x7E563A));
    }
    pen.backdrop(hills(-0.86 + shift, 0.1, 1.0).mirrored().moved({0, -3.4}), rgb(0x21543A));
    for (double x = -3; x < 3.1; x += 0.5)
        pen.backdrop(circle({x, -1.0 + shift + 0.06 * std::sin(5 * x)}, 0.34), rgb(0x21543A));
    pen.backdrop(hills(0.62 + shift, 0.05, 0.2), rgb(0x5A9A4F));
}

void fir(const Pen& pen, Vec foot, double size) {
    for (const double level : {0.0, 0.34, 0.66}) {
        const double y = foot.y - level * size, wide = (0.36 - 0.26 * level) * size;
        pen.backdrop(polygon({{foot.x - wide, y}, {foot.x + wide, y}, {foot.x, y - 0.52 * size}}),
                     mix(rgb(0x3E7A70), kWhite, 0.3 * level));
    }
}

void snow(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 0.6), rgb(0xAFCBEA), rgb(0xEEF5FC));
    for (const double x : {-2.5, -0.72, 1.0, 2.6}) {
        const double top = x < 0 ? -0.72 : -0.5;
        pen.backdrop(polygon({{x - 0.95, 0.7}, {x, top + shift}, {x + 0.95, 0.7}}), rgb(0x93AFD0));
        pen.backdrop(polygon({{x - 0.26, top + 0.34 + shift},
                              {x, top + shift},
                              {x + 0.26, top + 0.34 + shift},
                              {x + 0.08, top + 0.28 + shift},
                              {x - 0.08, top + 0.38 + shift}}),
                     kWhite);
    }
    fir(pen, {0.86, 0.62 + shift}, 0.9);
    fir(pen, {-1.7, 0.62 + shift}, 0.8);
    pen.backdrop(hills(0.4 + shift, 0.06, 1.5), rgb(0xFAFCFF));
}

void desert(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 0.6), rgb(0xFF9E4F), rgb(0xFFE2A0));
    pen.backdrop(circle({0.74, -0.56}, 0.22), rgb(0xFFF0C4));
    pen.backdrop(hills(0.2 + shift, 0.14, 0.2), rgb(0xE59A50));
    for (const double x : {-0.86, 1.9}) {
        const Colour green = rgb(0x4E9A5B);
        pen.backdrop_line(line({{x, 0.8}, {x, -0.42}}), green, 0.17);
        pen.backdrop_line(curve({{x, 0.28}, {x + 0.24, 0.2}, {x + 0.25, -0.1}}), green, 0.12);
        pen.backdrop_line(curve({{x, 0.12}, {x - 0.22, 0.04}, {x - 0.22, -0.2}}), green, 0.12);
    }
    pen.backdrop(hills(0.56 + shift, 0.08, 2.4), rgb(0xCF7B3E));
}

void library(const Pen& pen, double shift) {
    static constexpr std::array<Colour, 6> kBooks = {rgb(0xB5483E), rgb(0x3F6F8F), rgb(0xD9A441),
                                                     rgb(0x5B8A55), rgb(0xE4D3B0), rgb(0x7A4A78)};
    pen.backdrop(band(-2.5, 2.5), rgb(0x6E4227));
    int book = 0;
    for (const double floor : {-0.44, 0.2, 0.84}) {
        for (double x = -3.0; x < 3.0; x += 0.21) {
            const double top = floor - 0.42 - 0.06 * (book % 3);
            pen.backdrop(rectangle({x, top + shift}, {x + 0.17, floor + shift}),
                         kBooks[static_cast<std::size_t>(book * 5 % 7 % 6)]);
            ++book;
        }
        pen.backdrop(rectangle({-kFar, floor + shift}, {kFar, floor + 0.09 + shift}), rgb(0xA06A3E));
    }
}

void star(const Pen& pen, Vec centre, double size) {
    std::vector<Vec> points;
    for (int index = 0; index < 8; ++index) {
        const double angle = std::numbers::pi * index / 4, radius = index % 2 ? 0.38 * size : size;
        points.push_back(centre + Vec{radius * std::cos(angle), radius * std::sin(angle)});
    }
    pen.backdrop(polygon(std::move(points)), rgb(0xFFF4C8));
}

void night(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 1.2), rgb(0x131A4A), rgb(0x46539E));
    pen.backdrop(circle({0.74, -0.66}, 0.2), rgb(0xFFF3C8));
    pen.backdrop(circle({0.82, -0.71}, 0.17), rgb(0x2C3673));
    for (const Vec at : {Vec{-0.86, -0.76}, Vec{-0.62, -0.42}, Vec{-0.92, -0.1}, Vec{0.92, -0.16}, Vec{-0.3, -0.9},
                         Vec{1.6, -0.6}, Vec{-1.6, -0.5}, Vec{2.2, -0.2}, Vec{-2.2, -0.8}}) {
        star(pen, at + Vec{0, shift}, 0.09);
    }
    pen.backdrop(hills(0.36 + shift, 0.12, 1.2), rgb(0x232C66));
    pen.backdrop(hills(0.62 + shift, 0.06, 0.0), rgb(0x182050));
}

void stage(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 2.5), rgb(0x8E1F33));
    for (double x = -3.15; x < 3.2; x += 0.42) {
        pen.backdrop(rectangle({x, -2}, {x + 0.16, 2}), rgb(0xB52F44));
    }
    for (double x = -3.0; x < 3.1; x += 0.6) pen.backdrop(oval({x, -1.02 + shift}, 0.33, 0.36), rgb(0xEDB544));
    pen.backdrop(band(-3, -1.05 + shift), rgb(0xEDB544));
    pen.backdrop(band(0.76, 2.5), rgb(0x9A673F));
}

void room(const Pen& pen, double shift) {
    pen.backdrop(band(-2.5, 2.5), rgb(0xF7EBD3), rgb(0xEBD4AE));
    for (const double x : {-0.88, 2.3}) {
        const double y = -0.36 + shift;
        pen.backdrop(rectangle({x - 0.3, y - 0.42}, {x + 0.3, y + 0.46}), rgb(0xFFFFFF));
        pen.backdrop(rectangle({x - 0.24, y - 0.36}, {x + 0.24, y + 0.4}), rgb(0x9ED8F5));
        pen.backdrop(rectangle({x - 0.03, y - 0.36}, {x + 0.03, y + 0.4}), rgb(0xFFFFFF));
    }
    for (const double x : {0.86, -2.2}) {
        pen.backdrop(rectangle({x - 0.03, -0.4 + shift}, {x + 0.03, 1.6}), rgb(0x6F5A4C));
        pen.backdrop(polygon({{x - 0.15, -0.74 + shift},
                              {x + 0.15, -0.74 + shift},
                              {x + 0.3, -0.3 + shift},
                              {x - 0.3, -0.3 + shift}}),
                     rgb(0xF08A5D));
    }
    pen.backdrop(band(0.7, 2.5), rgb(0xB88455));
}

}  // namespace

void draw_place(const Pen& pen, Place place, std::uint64_t seed) {
    Random random(seed, 14);
    const double shift = random.uniform(-0.08, 0.08);
    const Transform before = pen.canvas().view();
    Transform placed = Transform::placed({random.uniform(-0.06, 0.06), 0}, 1);
    if (random.chance(0.5)) placed.xx = -placed.xx;
    pen.canvas().set_view(before * placed);
    switch (place) {
        case Place::Beach:
            beach(pen, shift);
            break;
        case Place::Park:
            park(pen, shift);
            break;
        case Place::City:
            city(pen, shift);
            break;
        case Place::Forest:
            forest(pen, shift);
            break;
        case Place::Snow:
            snow(pen, shift);
            break;
        case Place::Desert:
            desert(pen, shift);
            break;
        case Place::Library:
            library(pen, shift);
            break;
        case Place::Night:
            night(pen, shift);
            break;
        case Place::Stage:
            stage(pen, shift);
            break;
        case Place::Room:
            room(pen, shift);
            break;
    }
    pen.canvas().set_view(before);
}

}  // namespace mirror::people
