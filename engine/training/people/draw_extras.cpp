// Glasses, hats and what else people wear on the head.

#include <algorithm>

#include "engine/training/people/draw_person.h"
#include "engine/training/people/palette.h"

namespace mirror::people {

namespace {

Path lens(const HeadShape& head, Glasses kind, double side) {
    const double x = head.eye_x, y = head.eye_y + 0.015, w = 0.29, h = 0.275;
    const auto at = [&](double dx, double dy) { return Vec{side * (x + dx * w), y + dy * h}; };
    Path path;
    switch (kind) {
        case Glasses::Square:
            path = blob({at(-1, -0.6), at(-0.75, -0.9), at(0.75, -0.9), at(1, -0.6), at(0.95, 0.6), at(0.7, 0.85),
                         at(-0.7, 0.85), at(-0.95, 0.6)});
            break;
        case Glasses::CatEye:
            path = blob({at(-0.95, -0.35), at(-0.5, -0.8), at(0.6, -0.9), at(1.3, -1.15), at(1.3, -1.15), at(1.05, 0.2),
                         at(0.5, 0.85), at(-0.5, 0.85), at(-0.95, 0.3)});
            break;
        default:
            path = oval(at(0, 0), w, h);
            break;
    }
    return head.placed(std::move(path), 1.06);
}

void draw_beanie(const Pen& pen, const Figure& figure, Colour colour) {
    const double w = figure.head.half_width + 0.12;
    const Vec shift = figure.head.behind(0.2);
    const auto at = [&](double x, double y) { return figure.head.outline_point(x, y) + shift; };
    const Vec left = at(-w, -0.3), right = at(w, -0.3), middle = figure.head.at(0, -0.5);
    pen.part(circle(at(0, -1.3), 0.14), lighter(colour, 0.45));
    pen.part(blob({at(-w, -0.4), at(-w, -0.4), at(-0.92 * w, -0.82), at(-0.45 * w, -1.17), at(0, -1.24),
                   at(0.45 * w, -1.17), at(0.92 * w, -0.82), at(w, -0.4), at(w, -0.4), middle + Vec{0, -0.08}}),
             colour);
    pen.part(blob({left, left, mix(left, middle, 0.5) + Vec{0, -0.04}, middle + Vec{0, 0.02},
                   mix(right, middle, 0.5) + Vec{0, -0.04}, right, right, right + Vec{-0.01, -0.28},
                   right + Vec{-0.01, -0.28}, mix(right, middle, 0.5) + Vec{0, -0.33}, middle + Vec{0, -0.28},
                   mix(left, middle, 0.5) + Vec{0, -0.33}, left + Vec{0.01, -0.28}, left + Vec{0.01, -0.28}}),
             lighter(colour, 0.22));
}

void draw_cap(const Pen& pen, const Figure& figure, Colour colour) {
    const double w = figure.head.half_width + 0.09;
    const Vec shift = figure.head.behind(0.2);
    const auto at = [&](double x, double y) { return figure.head.outline_point(x, y) + shift; };
    const HeadShape& head = figure.head;
    pen.part(blob({at(-w, -0.36), at(-w, -0.36), at(-0.92 * w, -0.8), at(-0.45 * w, -1.15), at(0, -1.22),
                   at(0.45 * w, -1.15), at(0.92 * w, -0.8), at(w, -0.36), at(w, -0.36), head.at(0.4, -0.58),
                   head.at(-0.4, -0.58)}),
             colour);
    pen.patch(circle(head.at(0, -0.84, 1.1), 0.16), lighter(colour, 0.75));
    const Vec left = head.at(-0.66, -0.5), right = head.at(0.66, -0.5), peak = head.at(0, -0.5, 1.35),
              root = head.at(0, -0.62);
    pen.part(blob({left, left, mix(left, peak, 0.5) + Vec{0, 0.1}, peak + Vec{0, 0.12},
                   mix(right, peak, 0.5) + Vec{0, 0.1}, right, right, mix(right, root, 0.6) + Vec{0, -0.1},
                   root + Vec{0, -0.08}, mix(left, root, 0.6) + Vec{0, -0.1}}),
             darker(colour, 0.2));
}

void draw_headband(const Pen& pen, const Figure& figure, Colour colour) {
    const double w = figure.head.half_width + 0.1;
    const Vec shift = figure.head.behind(0.2);
    const auto at = [&](double x, double y) { return figure.head.outline_point(x, y) + shift; };
    const HeadShape& head = figure.head;
    const Vec crown = head.at(0, -0.78);
    pen.part(blob({at(-w, -0.34), at(-w, -0.34), at(-0.95 * w, -0.56), at(-0.95 * w, -0.56),
                   mix(at(-0.62 * w, -0.9), crown, 0.25), crown + Vec{0, -0.12}, mix(at(0.62 * w, -0.9), crown, 0.25),
                   at(0.95 * w, -0.56), at(0.95 * w, -0.56), at(w, -0.34), at(w, -0.34),
                   mix(at(0.58 * w, -0.68), crown, 0.3), crown + Vec{0, 0.1}, mix(at(-0.58 * w, -0.68), crown, 0.3)}),
             colour);
}

void draw_earrings(const Pen& pen, const Figure& figure, Colour colour) {
    const Vec shift = figure.head.behind(0.45);
    for (const double side : {-1.0, 1.0})
        pen.part(circle(Vec{side * (figure.head.half_width + 0.06), 0.47} + shift, 0.1), colour);
}

void draw_flower(const Pen& pen, const Figure& figure, Colour colour) {
    const double side = figure.identity.trait(Trait::Parting) < 0 ? 1 : -1;
    const Vec centre = figure.head.at(side * 0.66 * figure.head.half_width, -0.6, 1.1);
    const Colour petal = figure.identity.accessory_colour == AccentColour::Black ? rgb(0xFBF8F4) : colour;
    for (const Vec offset :
         {Vec{0, -0.15}, Vec{0.143, -0.046}, Vec{0.088, 0.121}, Vec{-0.088, 0.121}, Vec{-0.143, -0.046}}) {
        pen.part(circle(centre + offset, 0.115), petal);
    }
    pen.patch(circle(centre, 0.09), rgb(0xFFD94A));
}

}  // namespace

void draw_glasses(const Pen& pen, const Figure& figure) {
    const Glasses kind = figure.identity.glasses;
    if (kind == Glasses::None) return;
    const HeadShape& head = figure.head;
    const Colour colour = colour_of(figure.identity.glasses_colour);
    const double w = head.half_width, y = head.eye_y - 0.03;
    for (const double side : {-1.0, 1.0}) {
        const Path glass = lens(head, kind, side);
        pen.canvas().fill(glass, Paint(kWhite, 0.14));
        pen.line(glass, colour, 0.06);
        pen.line(line({head.at({side * (head.eye_x + 0.29), y}, 1.06), head.at(side * 1.02 * w, y + 0.02)}), colour,
                 0.06);
    }
    pen.line(head.placed(curve({{-head.eye_x + 0.285, y}, {0, y - 0.06}, {head.eye_x - 0.285, y}}), 1.06), colour,
             0.06);
}

void draw_accessory(const Pen& pen, const Figure& figure) {
    const Colour colour = colour_of(figure.identity.accessory_colour);
    switch (figure.identity.accessory) {
        case Accessory::None:
            break;
        case Accessory::Beanie:
            draw_beanie(pen, figure, colour);
            break;
        case Accessory::Cap:
            draw_cap(pen, figure, colour);
            break;
        case Accessory::Headband:
            draw_headband(pen, figure, colour);
            break;
        case Accessory::Earrings:
            draw_earrings(pen, figure, colour);
            break;
        case Accessory::Flower:
            draw_flower(pen, figure, colour);
            break;
    }
}

}  // namespace mirror::people
