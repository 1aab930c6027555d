// Skin of the head: ears, face, marks and age; and the beard.

#include <algorithm>

#include "engine/training/people/draw_person.h"
#include "engine/training/people/palette.h"

namespace mirror::people {

namespace {

void draw_ears(const Pen& pen, const Figure& figure) {
    const double size = 1 + 0.28 * figure.identity.trait(Trait::EarSize), w = figure.head.half_width;
    const Colour skin = skin_colour(figure.identity);
    const Vec shift = figure.head.behind(0.45);
    for (const double side : {-1.0, 1.0}) {
        const Vec centre = Vec{side * (w + 0.035), 0.14} + shift;
        pen.part(oval(centre, 0.15 * size, 0.21 * size, side * 0.15), skin);
        pen.line(curve({centre + Vec{side * 0.02, -0.1 * size}, centre + Vec{side * 0.085 * size, -0.03},
                        centre + Vec{side * 0.03, 0.1 * size}}),
                 darker(saturated(skin, 1.2), 0.3), 0.04, 0.5);
    }
}

void draw_marks(const Pen& pen, const Figure& figure) {
    const HeadShape& head = figure.head;
    const Colour skin = skin_colour(figure.identity);
    const double cheek_y = 0.5 * (head.eye_y + head.eye_half_height + head.mouth_y);
    const double side = figure.identity.trait(Trait::Parting) < 0 ? 1 : -1;
    switch (figure.identity.mark) {
        case Mark::None:
            break;
        case Mark::Freckles:
            for (const double x : {-0.58, -0.45, -0.32, 0.32, 0.45, 0.58}) {
                const double up = std::abs(x) == 0.45 ? 0.055 : -0.01;
                pen.patch(circle(head.at(x, cheek_y + up), 0.032), mix(darker(skin, 0.3), rgb(0x9A4A24), 0.45));
            }
            break;
        case Mark::BeautySpot:
            pen.patch(circle(head.at(side * 0.4, head.mouth_y - 0.09), 0.042), rgb(0x33211F));
            break;
        case Mark::RosyCheeks:
            for (const double x : {-0.52, 0.52})
                pen.patch(oval(head.at(x, cheek_y + 0.02), 0.14, 0.1), mix(skin, rgb(0xF0475C), 0.42));
            break;
        case Mark::Plaster: {
            const Vec from = head.at(side * 0.38, cheek_y + 0.1), to = head.at(side * 0.66, cheek_y - 0.06);
            pen.line(line({from, to}), rgb(0xFBE7C8), 0.15);
            pen.line(line({mix(from, to, 0.42), mix(from, to, 0.58)}), rgb(0xE7B98A), 0.13);
            break;
        }
    }
}

void draw_age(const Pen& pen, const Figure& figure) {
    if (figure.identity.age != Age::Elder) return;
    const HeadShape& head = figure.head;
    const Colour fold = darker(saturated(skin_colour(figure.identity), 1.15), 0.3);
    for (const double side : {-1.0, 1.0}) {
        pen.line(head.placed(curve({{side * 0.2, head.nose_y + 0.03},
                                    {side * 0.34, head.nose_y + 0.14},
                                    {side * 0.39, head.mouth_y + 0.0}})),
                 fold, 0.045, 0.7);
        pen.line(head.placed(curve({{side * (head.eye_x - 0.15), head.eye_y + head.eye_half_height + 0.07},
                                    {side * head.eye_x, head.eye_y + head.eye_half_height + 0.12},
                                    {side * (head.eye_x + 0.16), head.eye_y + head.eye_half_height + 0.06}})),
                 fold, 0.04, 0.7);
    }
    pen.line(head.placed(curve({{-0.26, -0.47}, {0, -0.5}, {0.26, -0.47}})), fold, 0.04, 0.7);
}

// The beard's region: the lower outline of the head, a little outside, and an inner edge past the mouth.
Path full_beard(const Figure& figure, double outside) {
    const HeadShape& head = figure.head;
    const double w = head.half_width;
    std::vector<Vec> points;
    for (const Vec edge :
         {Vec{1.0 * w, 0.02}, Vec{w * head.jaw + outside, 0.46}, Vec{0.76 * w * head.jaw + outside, 0.82},
          Vec{0.36 * w * head.jaw + outside, 1.0 * head.chin + outside}, Vec{0, head.chin + 1.5 * outside}}) {
        points.push_back(head.outline_point(edge.x, edge.y));
    }
    for (std::size_t index = 4; index-- > 0;) {
        const Vec edges[] = {{-1.0 * w, 0.02},
                             {-w * head.jaw - outside, 0.46},
                             {-0.76 * w * head.jaw - outside, 0.82},
                             {-0.36 * w * head.jaw - outside, head.chin + outside}};
        points.push_back(head.outline_point(edges[index].x, edges[index].y));
    }
    points.insert(points.begin(), points.front());
    points.push_back(points.back());
    const double lip = head.mouth_y - 0.17;
    for (const Vec edge :
         {Vec{-0.9 * w, 0.06}, Vec{-0.86 * w, 0.3}, Vec{-0.62 * w, 0.5}, Vec{-0.36 * w, lip + 0.02}, Vec{-0.1, lip},
          Vec{0.1, lip}, Vec{0.36 * w, lip + 0.02}, Vec{0.62 * w, 0.5}, Vec{0.86 * w, 0.3}, Vec{0.9 * w, 0.06}}) {
        points.push_back(head.at(edge));
    }
    return blob(points);
}

void draw_moustache(const Pen& pen, const Figure& figure, Colour hair) {
    const HeadShape& head = figure.head;
    const double y = head.mouth_y - 0.12, w = head.mouth_half_width + 0.1;
    pen.part(head.placed(blob({{0, y - 0.05},
                               {0.5 * w, y - 0.1},
                               {w, y + 0.08},
                               {w, y + 0.08},
                               {0.5 * w, y + 0.08},
                               {0, y + 0.05},
                               {-0.5 * w, y + 0.08},
                               {-w, y + 0.08},
                               {-w, y + 0.08},
                               {-0.5 * w, y - 0.1}}),
                         1.06),
             hair);
}

}  // namespace

void draw_head(const Pen& pen, const Figure& figure) {
    const Colour skin = skin_colour(figure.identity);
    draw_ears(pen, figure);
    const Path outline = figure.head.outline();
    pen.part(outline, skin);
    pen.shade(outline, skin);
    pen.canvas().clip(outline);  // Cheeks at the edge of a turned face.
    if (pen.style() != Style::Neon && pen.style() != Style::Ink) {
        const double y = 0.5 * (figure.head.eye_y + figure.head.mouth_y) + 0.08;
        for (const double x : {-0.52, 0.52}) pen.glow(figure.head.at(x, y), 0.24, mix(skin, rgb(0xF0475C), 0.6), 0.4);
    }
    draw_marks(pen, figure);
    draw_age(pen, figure);
    pen.canvas().clear_clip();
    pen.outline(outline, skin);
}

void draw_beard(const Pen& pen, const Figure& figure) {
    const Colour hair = darker(hair_colour(figure.identity), 0.1);
    switch (figure.identity.beard) {
        case Beard::None:
            break;
        case Beard::Stubble:
            pen.patch(full_beard(figure, 0), mix(hair, rgb(0x4A4A52), 0.5), 0.3);
            break;
        case Beard::Full:
            pen.part(full_beard(figure, 0.045), hair);
            break;
        case Beard::Moustache:
            draw_moustache(pen, figure, hair);
            break;
        case Beard::Goatee: {
            const HeadShape& head = figure.head;
            const double top = head.mouth_y + 0.1;
            std::vector<Vec> points;
            for (const Vec edge : {Vec{-0.2, top + 0.06}, Vec{0, top}, Vec{0.2, top + 0.06}})
                points.push_back(head.at(edge, 0.8));
            for (const Vec edge : {Vec{0.27, 0.94 * head.chin}, Vec{0.12, head.chin + 0.09},
                                   Vec{-0.12, head.chin + 0.09}, Vec{-0.27, 0.94 * head.chin}})
                points.push_back(head.outline_point(edge.x, edge.y));
            pen.part(blob(points), hair);
            draw_moustache(pen, figure, hair);
            break;
        }
    }
}

}  // namespace mirror::people
