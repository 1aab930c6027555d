// Neck, clothes and the waving arm.

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/training/people/draw_person.h"
#include "engine/training/people/palette.h"

namespace mirror::people {

namespace {

constexpr double kBottom = 6.0;  // Below any frame.

struct BodyForm {
    double neck, shoulder;
};

BodyForm form_of(const Identity& identity) {
    const bool child = identity.age == Age::Child, male = identity.sex == Sex::Male;
    return {(child  ? 0.27
             : male ? 0.37
                    : 0.31) +
                0.045 * identity.trait(Trait::NeckWidth),
            child  ? 1.02
            : male ? 1.3
                   : 1.14};
}

Path torso(const BodyForm& form) {
    const double s = form.shoulder;
    return blob(with_mirror_images({{0, 0.9},
                                    {form.neck + 0.06, 0.93},
                                    {0.72 * s, 1.06},
                                    {s, 1.26},
                                    {1.12 * s, 1.7},
                                    {1.14 * s, 2.6},
                                    {1.14 * s, kBottom},
                                    {1.14 * s, kBottom},
                                    {0, kBottom}}));
}

// The skin that a garment leaves free, from behind the chin to the neckline.
Path neck_skin(const BodyForm& form, double wider, double depth, bool pointed) {
    std::vector<Vec> right = {{form.neck, 0.6}, {form.neck, 0.86}, {form.neck + wider, 1.0}};
    if (!pointed) right.push_back({0.55 * (form.neck + wider), mix(1.0, depth, 0.85)});
    if (pointed) right.push_back(right.back());
    right.push_back({0, depth});
    return blob(with_mirror_images(std::move(right)));
}

void draw_neck(const Pen& pen, const Figure& figure, const BodyForm& form, double wider, double depth,
               bool pointed = false) {
    const Colour skin = skin_colour(figure.identity);
    const Path neck = neck_skin(form, wider, depth, pointed);
    pen.part(neck, skin);
    if (pen.style() == Style::Ink) return;
    pen.canvas().clip(neck);
    pen.patch(oval({0, 0.86}, form.neck + 0.3, 0.26), darker(saturated(skin, 1.15), 0.24), 0.8);
    pen.canvas().clear_clip();
}

// Sleeves end where the body does: two lines that part the arms from the body.
void draw_arm_lines(const Pen& pen, const BodyForm& form, Colour colour) {
    for (const double side : {-1.0, 1.0})
        pen.line(curve({{side * 0.84 * form.shoulder, 1.62},
                        {side * 0.8 * form.shoulder, 2.0},
                        {side * 0.8 * form.shoulder, 3.0}}),
                 darker(colour, 0.35), 0.05, 0.3);
}

void draw_t_shirt(const Pen& pen, const Figure& figure, const BodyForm& form, Colour colour) {
    draw_neck(pen, figure, form, 0.12, 1.27);
    pen.line(curve({{-form.neck - 0.14, 0.99},
                    {-0.5 * (form.neck + 0.14), 1.25},
                    {0, 1.31},
                    {0.5 * (form.neck + 0.14), 1.25},
                    {form.neck + 0.14, 0.99}}),
             darker(colour, 0.22), 0.09);
}

void draw_stripes(const Pen& pen, const Figure& figure, const BodyForm& form, Colour colour) {
    const Colour stripe = brightness(colour) > 0.85f ? rgb(0x3A4A78) : rgb(0xFBF8F2);
    pen.canvas().clip(torso(form));
    for (double y = 1.13; y < 3; y += 0.3) {
        pen.patch(rectangle({-2, y}, {2, y + 0.14}), stripe);
    }
    pen.canvas().clear_clip();
    pen.outline(torso(form), colour);
    draw_t_shirt(pen, figure, form, colour);
}

void draw_shirt(const Pen& pen, const Figure& figure, const BodyForm& form, Colour colour) {
    draw_neck(pen, figure, form, 0.06, 1.36, true);
    pen.line(line({{0, 1.36}, {0, 4}}), darker(colour, 0.35), 0.045);
    for (const double side : {-1.0, 1.0}) {
        pen.part(blob({{side * (form.neck - 0.02), 0.84},
                       {side * (form.neck - 0.02), 0.84},
                       {side * (form.neck + 0.16), 1.0},
                       {side * 0.46, 1.36},
                       {side * 0.46, 1.36},
                       {side * 0.04, 1.3},
                       {side * 0.04, 1.3}}),
                 lighter(colour, 0.28));
    }
    for (const double y : {1.56, 1.9, 2.24}) pen.patch(circle({0, y}, 0.05), lighter(colour, 0.6));
}

void draw_hoodie(const Pen& pen, const Figure& figure, const BodyForm& form, Colour colour) {
    draw_neck(pen, figure, form, 0.16, 1.3);
    for (const double side : {-1.0, 1.0}) {
        pen.part(blob({{side * (form.neck + 0.02), 0.84},
                       {side * (form.neck + 0.34), 0.86},
                       {side * (form.neck + 0.3), 1.14},
                       {0, 1.46},
                       {0, 1.46},
                       {0, 1.3},
                       {0, 1.3},
                       {side * (form.neck + 0.1), 1.06}}),
                 darker(colour, 0.1));
        pen.line(line({{side * 0.17, 1.42}, {side * 0.19, 1.86}}),
                 brightness(colour) > 0.8f ? rgb(0x6A6A78) : rgb(0xFDFBF5), 0.075);
    }
}

void draw_turtleneck(const Pen& pen, const BodyForm& form, Colour colour) {
    const double w = form.neck + 0.1;
    pen.part(blob({{-w, 0.8},
                   {-w, 0.8},
                   {0, 0.86},
                   {w, 0.8},
                   {w, 0.8},
                   {w + 0.07, 1.1},
                   {w + 0.05, 1.2},
                   {0, 1.3},
                   {-w - 0.05, 1.2},
                   {-w - 0.07, 1.1}}),
             lighter(colour, 0.1));
    pen.line(curve({{-w, 1.1}, {0, 1.17}, {w, 1.1}}), darker(colour, 0.25), 0.05, 0.3);
}

void draw_jacket(const Pen& pen, const Figure& figure, const BodyForm& form, Colour colour) {
    const Colour under = brightness(colour) > 0.85f ? rgb(0x4C5A80) : rgb(0xF7F4EE);
    pen.part(blob({{-form.neck - 0.1, 0.92},
                   {-form.neck - 0.1, 0.92},
                   {form.neck + 0.1, 0.92},
                   {form.neck + 0.1, 0.92},
                   {0.12, 2.6},
                   {-0.12, 2.6}}),
             under);
    draw_neck(pen, figure, form, 0.06, 1.2);
    for (const double side : {-1.0, 1.0}) {
        pen.part(polygon({{side * (form.neck + 0.02), 0.88},
                          {side * (form.neck + 0.3), 0.98},
                          {side * (form.neck + 0.42), 1.4},
                          {side * (form.neck + 0.2), 1.44},
                          {side * (form.neck + 0.27), 1.54},
                          {side * 0.07, 2.5},
                          {side * 0.04, 2.3}}),
                 darker(colour, 0.18));
    }
}

void draw_scarf(const Pen& pen, const BodyForm& form, Colour colour) {
    const double w = form.neck + 0.3;
    const Colour stripe = brightness(colour) > 0.85f ? rgb(0xC2534E) : lighter(colour, 0.5);
    pen.part(
        blob({{0.16, 1.2}, {0.5, 1.16}, {0.62, 1.9}, {0.6, 2.4}, {0.6, 2.4}, {0.24, 2.4}, {0.24, 2.4}, {0.24, 1.8}}),
        darker(colour, 0.1));
    const Path wrap = blob({{-w, 0.88},
                            {-0.6 * w, 0.78},
                            {0, 0.76},
                            {0.6 * w, 0.78},
                            {w, 0.88},
                            {w + 0.02, 1.12},
                            {0.6 * w, 1.32},
                            {0, 1.4},
                            {-0.6 * w, 1.32},
                            {-w - 0.02, 1.12}});
    pen.part(wrap, colour);
    pen.line(curve({{-w + 0.04, 1.08}, {-0.5 * w, 1.2}, {0, 1.25}, {0.5 * w, 1.2}, {w - 0.04, 1.08}}), stripe, 0.08,
             0.3);
}

void draw_overalls(const Pen& pen, const Figure& figure, const BodyForm& form, Colour colour) {
    draw_neck(pen, figure, form, 0.1, 1.2);
    for (const double side : {-1.0, 1.0}) {
        pen.part(polygon({{side * (form.neck + 0.12), 0.9},
                          {side * (form.neck + 0.36), 0.98},
                          {side * 0.62, 1.6},
                          {side * 0.34, 1.6}}),
                 colour);
    }
    pen.part(blob({{-0.64, 1.36},
                   {-0.64, 1.36},
                   {0.64, 1.36},
                   {0.64, 1.36},
                   {0.78, 2.2},
                   {0.9, kBottom},
                   {0.9, kBottom},
                   {-0.9, kBottom},
                   {-0.9, kBottom},
                   {-0.78, 2.2}}),
             colour);
    for (const double side : {-1.0, 1.0}) pen.patch(circle({side * 0.46, 1.46}, 0.07), rgb(0xF6D470));
}

// What the arms and the torso are made of: under overalls and over a scarf it is not the named garment.
Colour cloth(const SceneRequest& scene) {
    const Colour colour = colour_of(scene.colour);
    if (scene.garment == Garment::Overalls) return brightness(colour) > 0.85f ? rgb(0x5F86B8) : rgb(0xF7F4EE);
    if (scene.garment == Garment::Scarf) return scene.colour == GarmentColour::Black ? rgb(0xA9805A) : rgb(0x5D6178);
    return colour;
}

}  // namespace

void draw_hood(const Pen& pen, const Figure& figure) {
    if (figure.scene.garment != Garment::Hoodie) return;
    const BodyForm form = form_of(figure.identity);
    const Vec shift = figure.head.behind(0.3);
    const double w = form.neck + 0.52;
    pen.part(
        blob({Vec{-w, 1.0}, Vec{-w + 0.06, 0.72}, Vec{0, 0.55} + shift, Vec{w - 0.06, 0.72}, Vec{w, 1.0}, Vec{0, 1.3}}),
        darker(colour_of(figure.scene.colour), 0.2));
}

void draw_body(const Pen& pen, const Figure& figure) {
    const BodyForm form = form_of(figure.identity);
    const Colour colour = colour_of(figure.scene.colour), fabric = cloth(figure.scene);
    const Path body = torso(form);
    pen.part(body, fabric);
    pen.shade(body, fabric);
    pen.outline(body, fabric);
    draw_arm_lines(pen, form, fabric);
    switch (figure.scene.garment) {
        case Garment::TShirt:
            draw_t_shirt(pen, figure, form, colour);
            break;
        case Garment::Shirt:
            draw_shirt(pen, figure, form, colour);
            break;
        case Garment::Hoodie:
            draw_hoodie(pen, figure, form, colour);
            break;
        case Garment::Turtleneck:
            draw_turtleneck(pen, form, colour);
            break;
        case Garment::Jacket:
            draw_jacket(pen, figure, form, colour);
            break;
        case Garment::Stripes:
            draw_stripes(pen, figure, form, colour);
            break;
        case Garment::Scarf:
            draw_scarf(pen, form, colour);
            break;
        case Garment::Overalls:
            draw_overalls(pen, figure, form, colour);
            break;
    }
}

void draw_waving_hand(const Pen& pen, const Figure& figure) {
    const Pose& pose = figure.pose;
    if (pose.hand_raise <= 0.01) return;
    const double side = pose.hand_side, fall = 1.6 * (1 - pose.hand_raise);
    const Transform before = pen.canvas().view();
    // Turned about an elbow below the frame's lower edge.
    pen.canvas().set_view(before * Transform::placed({side * 1.13, 1.34 + fall}, 1, 0.5 * pose.hand_angle));
    const Colour skin = skin_colour(figure.identity), sleeve = cloth(figure.scene);
    pen.part(blob({{-0.2, 2},
                   {-0.2, 2},
                   {-0.2, 0.2},
                   {-0.17, -0.5},
                   {-0.17, -0.5},
                   {0.17, -0.5},
                   {0.17, -0.5},
                   {0.2, 0.2},
                   {0.2, 2},
                   {0.2, 2}}),
             sleeve);
    pen.canvas().set_view(pen.canvas().view() * Transform::placed({0, -0.62}, 1, 0.5 * pose.hand_angle));
    for (const double finger : {-1.5, -0.5, 0.5, 1.5}) {
        const double angle = 0.16 * finger, reach = finger * finger > 1 ? 0.4 : 0.45;
        pen.part(oval({std::sin(angle) * reach, -0.08 - std::cos(angle) * reach}, 0.075, 0.2, angle), skin);
    }
    pen.part(oval({-side * 0.25, -0.2}, 0.17, 0.075, side * 0.75), skin);
    pen.part(oval({0, -0.2}, 0.22, 0.24), skin);
    pen.patch(oval({0, -0.28}, 0.15, 0.2), skin);
    pen.canvas().set_view(before);
}

Transform head_on_body(const Figure& figure) {
    const Pose& pose = figure.pose;
    const bool child = figure.identity.age == Age::Child;
    const double size = 1 + 0.03 * figure.identity.trait(Trait::HeadSize) + (child ? 0.01 : 0);
    // About the jaw, so that a tilted head stays in a close-up; a nodding head also sinks, and a turning one leans the
    // way it looks.
    const Vec neck{0, 0.62};
    const Vec shift{pose.shift_x + 0.1 * std::sin(pose.yaw), pose.shift_y + 0.14 * std::sin(pose.pitch)};
    return Transform::placed(neck + shift, size, pose.roll) * Transform::placed(Vec{} - neck, 1);
}

}  // namespace mirror::people
