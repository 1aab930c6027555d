// Hair behind the head and in front of it.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "engine/training/people/draw_person.h"
#include "engine/training/people/palette.h"

namespace mirror::people {

namespace {

constexpr double kPi = std::numbers::pi;

struct HairForm {
    double volume = 0.1;    // How far the outline is outside the skull.
    double side_end = 0.1;  // How far down the hair in front of the ears reaches.
    double side_in = 0.93;  // Its inner edge there, of the skull's half width.
    double hairline = -0.6;
};

HairForm form_of(const Identity& identity) {
    const double more = 0.04 * identity.trait(Trait::HairVolume);
    switch (identity.hair_style) {
        case HairStyle::Bald:
            return {0.0, -0.1, 0.98, -0.9};
        case HairStyle::Buzz:
            return {0.025, 0.0, 0.96, -0.6};
        case HairStyle::SidePart:
            return {0.12 + more, 0.08, 0.93, -0.6};
        case HairStyle::Quiff:
            return {0.06 + 0.5 * more, 0.05, 0.95, -0.62};
        case HairStyle::Curly:
            return {0.22 + 1.5 * more, 0.22, 0.9, -0.56};
        case HairStyle::Bob:
            return {0.15 + more, 0.72, 0.8, -0.6};
        case HairStyle::Long:
            return {0.13 + more, 0.62, 0.84, -0.6};
        case HairStyle::Ponytail:
            return {0.07 + 0.5 * more, 0.1, 0.94, -0.62};
        case HairStyle::Bun:
            return {0.07 + 0.5 * more, 0.06, 0.94, -0.62};
        case HairStyle::Pigtails:
            return {0.09 + 0.5 * more, 0.08, 0.93, -0.6};
    }
    return {};
}

double parting_side(const Identity& identity) { return identity.trait(Trait::Parting) < 0 ? -1 : 1; }

// The outer edge from the right end over the crown to the left end.
std::vector<Vec> outer_edge(const Figure& figure, const HairForm& form) {
    const double w = figure.head.half_width, v = form.volume;
    std::vector<Vec> right = {{w + 0.55 * v, form.side_end},
                              {1.01 * w + v, -0.25},
                              {0.88 * w + 0.85 * v, -0.62},
                              {0.5 * w + 0.45 * v, -0.91 - 0.85 * v}};
    if (form.side_end > 0.3) right.insert(right.begin() + 1, Vec{1.02 * w + 1.05 * v, 0.2});
    std::vector<Vec> points = right;
    points.push_back({0, -1.02 - v});
    for (std::size_t index = right.size(); index-- > 0;) points.push_back({-right[index].x, right[index].y});
    const Vec shift = figure.head.behind(0.25);
    for (Vec& point : points) point = figure.head.outline_point(point.x, point.y) + shift;
    return points;
}

// A cloud: bumps along an arc of an ellipse, from angle to angle (0 is the image's right, a quarter turn is up).
std::vector<Vec> bumps(Vec centre, double rx, double ry, double from, double to, int count) {
    std::vector<Vec> points;
    for (int index = 0; index <= 2 * count; ++index) {
        const double angle = from + (to - from) * index / (2.0 * count), out = index % 2 ? 1.06 : 0.97;
        points.push_back(centre + Vec{rx * out * std::cos(angle), -ry * out * std::sin(angle)});
    }
    return points;
}

// The line where the forehead begins, from the left temple to the right one, in the front view.
std::vector<Vec> hairline(const Figure& figure, const HairForm& form) {
    const double w = figure.head.half_width, h = form.hairline, low = std::min(figure.head.brow_y - 0.1, -0.36);
    const double side = parting_side(figure.identity);
    std::vector<Vec> points;
    switch (figure.identity.fringe) {
        case Fringe::None:
            points = {{-0.8 * w, -0.28},    {-0.68 * w, h + 0.12}, {-0.36 * w, h - 0.04}, {0, h - 0.06},
                      {0.36 * w, h - 0.04}, {0.68 * w, h + 0.12},  {0.8 * w, -0.28}};
            break;
        case Fringe::Straight:
            points = {{-0.82 * w, -0.12},    {-0.7 * w, low}, {-0.7 * w, low}, {-0.3 * w, low - 0.02}, {0, low - 0.01},
                      {0.3 * w, low - 0.02}, {0.7 * w, low},  {0.7 * w, low},  {0.82 * w, -0.12}};
            break;
        case Fringe::Swept:
            points = {{-0.82 * w, -0.14}, {-0.68 * w, low + 0.04}, {-0.3 * w, low - 0.02}, {0.1 * w, low - 0.16},
                      {0.42 * w, -0.76},  {0.42 * w, -0.76},       {0.62 * w, -0.52},      {0.82 * w, -0.24}};
            if (side < 0) {
                std::reverse(points.begin(), points.end());
                for (Vec& point : points) point.x = -point.x;
            }
            break;
    }
    return points;
}

// The inner edge: down from the left end, along the forehead and to the right end, as it comes to lie in this pose.
std::vector<Vec> inner_edge(const Figure& figure, const HairForm& form) {
    const double w = figure.head.half_width;
    std::vector<Vec> front;
    front.push_back({-form.side_in * w, form.side_end});
    front.push_back({-form.side_in * w * 1.01, mix(form.side_end, -0.2, 0.55)});
    for (const Vec point : hairline(figure, form)) front.push_back(point);
    front.push_back({form.side_in * w * 1.01, mix(form.side_end, -0.2, 0.55)});
    front.push_back({form.side_in * w, form.side_end});
    std::vector<Vec> points;
    for (const Vec point : front) points.push_back(figure.head.at(point));
    return points;
}

void add_corner(std::vector<Vec>& points, Vec point) {
    points.push_back(point);
    points.push_back(point);
}

Path cap_path(const Figure& figure, const HairForm& form) {
    std::vector<Vec> outer = outer_edge(figure, form);
    if (figure.identity.hair_style == HairStyle::Curly) {
        const Vec shift = figure.head.behind(0.25);
        const double w = figure.head.half_width;
        outer = bumps(Vec{0, -0.12} + shift, w + form.volume, 0.92 + form.volume, -0.3, kPi + 0.3, 8);
    }
    const std::vector<Vec> inner = inner_edge(figure, form);
    std::vector<Vec> points;
    add_corner(points, outer.front());
    points.insert(points.end(), outer.begin() + 1, outer.end() - 1);
    add_corner(points, outer.back());
    add_corner(points, inner.front());
    points.insert(points.end(), inner.begin() + 1, inner.end() - 1);
    add_corner(points, inner.back());
    return blob(std::move(points));
}

void draw_tail(const Pen& pen, Vec root, Vec swing, double reach, double width, Colour colour) {
    const Vec out = root + swing * 0.55, end = root + swing + Vec{0, reach};
    const double side = swing.x < 0 ? -1 : 1;
    pen.part(blob({root, out + Vec{-side * 0.2 * width, -0.75 * width}, out + Vec{side * width, 0.1 * reach},
                   mix(out, end, 0.65) + Vec{side * width, 0}, end, end,
                   mix(out, end, 0.55) + Vec{-side * 0.7 * width, 0}, out + Vec{-side * 0.6 * width, 0.35 * width}}),
             colour);
}

void draw_strands(const Pen& pen, const Figure& figure, const HairForm& form, Colour hair) {
    const double w = figure.head.half_width, side = parting_side(figure.identity);
    const Vec shift = figure.head.behind(0.25);
    const Colour dark = darker(hair, 0.28);
    const auto arc = [&](double x0, double x1, double y1) {
        return curve({Vec{side * x0 * w, -0.98 - 0.6 * form.volume} + shift,
                      Vec{side * mix(x0, x1, 0.6) * w, -0.86} + shift, figure.head.at(side * x1 * w, y1)});
    };
    if (figure.identity.fringe == Fringe::Swept) {
        pen.line(arc(0.36, -0.3, -0.62), dark, 0.045, 0.8);
        pen.line(arc(0.3, -0.62, -0.5), dark, 0.045, 0.8);
    } else if (figure.identity.fringe == Fringe::Straight) {
        pen.line(arc(0.2, 0.34, -0.55), dark, 0.045, 0.8);
        pen.line(arc(-0.2, -0.34, -0.55), dark, 0.045, 0.8);
    }
    const double lit = pen.light_side();
    pen.shine(curve({Vec{lit * 0.22 * w, -0.93 - 0.4 * form.volume} + shift,
                     Vec{lit * 0.5 * w, -0.82 - 0.2 * form.volume} + shift, Vec{lit * 0.72 * w, -0.6} + shift}),
              0.11, brightness(hair) > 0.6f ? 0.55 : 0.28);
}

void draw_quiff(const Pen& pen, const Figure& figure, Colour hair) {
    const double w = figure.head.half_width, side = parting_side(figure.identity);
    const double up = 0.24 + 0.06 * figure.identity.trait(Trait::HairVolume);
    const Vec shift = figure.head.behind(-0.35);
    Path tuft = blob({{-0.74 * w, -0.62},
                      {-0.74 * w, -0.62},
                      {-0.72 * w, -0.95},
                      {-0.4 * w, -1.06 - 0.55 * up},
                      {0.1 * w, -1.04 - up},
                      {0.66 * w, -1.0 - up},
                      {0.66 * w, -1.0 - up},
                      {0.76 * w, -0.85},
                      {0.7 * w, -0.62},
                      {0.7 * w, -0.62},
                      {0.3 * w, -0.74},
                      {-0.2 * w, -0.66}});
    for (Vec& point : tuft.points) point.x *= side;
    pen.part(tuft.moved(shift), hair);
    pen.line(curve({Vec{-side * 0.42 * w, -0.8}, Vec{-side * 0.1 * w, -1.0}, Vec{side * 0.4 * w, -1.06 - 0.4 * up}})
                 .moved(shift),
             darker(hair, 0.28), 0.05, 0.8);
    pen.shine(curve({Vec{-side * 0.3 * w, -1.0}, Vec{0, -1.08}, Vec{side * 0.3 * w, -1.1 - 0.3 * up}}).moved(shift),
              0.08, 0.25);
}

// What an elderly bald head keeps above the ears.
void draw_side_patches(const Pen& pen, const Figure& figure, Colour hair) {
    const double w = figure.head.half_width;
    for (const double side : {-1.0, 1.0}) {
        const Vec inner_high = figure.head.at(side * 0.84 * w, -0.34),
                  inner_low = figure.head.at(side * 0.93 * w, 0.12);
        const Vec shift = figure.head.behind(0.3);
        pen.part(blob({Vec{side * (w + 0.1), 0.16} + shift, Vec{side * (w + 0.13), -0.12} + shift,
                       Vec{side * (0.97 * w + 0.05), -0.42} + shift, inner_high, inner_low}),
                 hair);
    }
}

bool wears_hat(const Identity& identity) {
    return identity.accessory == Accessory::Beanie || identity.accessory == Accessory::Cap;
}

}  // namespace

void draw_back_hair(const Pen& pen, const Figure& figure) {
    const Identity& identity = figure.identity;
    const Colour hair = hair_colour(identity), shadow = darker(hair, 0.16);
    const HairForm form = form_of(identity);
    const double w = figure.head.half_width, v = form.volume, side = parting_side(identity);
    const Vec shift = figure.head.behind(0.7);
    switch (identity.hair_style) {
        case HairStyle::Curly:
            pen.part(blob(bumps(Vec{0, -0.08} + shift, w + v + 0.03, 0.98 + v, -0.25 * kPi, 1.25 * kPi, 9)), shadow);
            break;
        case HairStyle::Bob:
            pen.part(blob(with_mirror_images({{0, -1 - v},
                                              {0.7 * w + v, -0.75},
                                              {w + 1.1 * v, 0},
                                              {w + 1.15 * v, 0.55},
                                              {0.9 * w + v, 0.86},
                                              {0.9 * w + v, 0.86},
                                              {0, 0.9}}))
                         .moved(shift),
                     shadow);
            break;
        case HairStyle::Long:
            pen.part(blob(with_mirror_images({{0, -1 - v},
                                              {0.7 * w + v, -0.75},
                                              {w + 1.05 * v, 0},
                                              {w + 1.2 * v, 0.7},
                                              {w + 1.5 * v, 1.4},
                                              {0.8 * w, 1.9},
                                              {0, 1.9}}))
                         .moved(shift),
                     shadow);
            break;
        case HairStyle::Ponytail:
            draw_tail(pen, Vec{side * 0.62 * w, -0.72} + shift * 1.3, {side * 0.46, 0.12}, 1.05, 0.2, hair);
            break;
        case HairStyle::Bun:
            if (!wears_hat(identity)) pen.part(oval(Vec{0, -1.08} + shift, 0.33, 0.25), hair);
            break;
        case HairStyle::Pigtails:
            for (const double which : {-1.0, 1.0})
                draw_tail(pen, Vec{which * 0.9 * w, -0.28} + shift, {which * 0.3, 0.08}, 0.78, 0.18, hair);
            break;
        default:
            break;
    }
}

void draw_front_hair(const Pen& pen, const Figure& figure) {
    const Identity& identity = figure.identity;
    const Colour hair = hair_colour(identity);
    const HairForm form = form_of(identity);
    if (identity.hair_style == HairStyle::Bald) {
        if (identity.age == Age::Elder) draw_side_patches(pen, figure, hair);
        const double lit = pen.light_side();
        const Vec shift = figure.head.behind(-0.3);
        pen.shine(
            curve({Vec{lit * 0.2, -0.84} + shift, Vec{lit * 0.42, -0.74} + shift, Vec{lit * 0.58, -0.54} + shift}), 0.1,
            0.4);
        return;
    }
    const Path cap = cap_path(figure, form);
    if (identity.hair_style == HairStyle::Buzz) {
        pen.part(cap, mix(hair, skin_colour(identity), 0.3));
        return;
    }
    pen.part(cap, hair);
    draw_strands(pen, figure, form, hair);
    if (identity.hair_style == HairStyle::Quiff) draw_quiff(pen, figure, hair);
}

}  // namespace mirror::people
