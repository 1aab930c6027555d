// Eyes, brows, nose and mouth.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/training/people/draw_person.h"
#include "engine/training/people/palette.h"

namespace mirror::people {

namespace {

constexpr Colour kLash = rgb(0x2A2029);
constexpr Colour kMouthInside = rgb(0x7A2230);
constexpr Colour kTongue = rgb(0xE57C82);

// Points of the front view around one eye's middle, turned by the slant: the outer corner is at positive `along`.
class EyeFrame {
public:
    EyeFrame(const HeadShape& head, double side)
        : head_(head), side_(side), cosine_(std::cos(head.eye_slant)), sine_(std::sin(head.eye_slant)) {}

    Vec at(double along, double down) const {
        return head_.at(side_ * (head_.eye_x + along * cosine_ + down * sine_),
                        head_.eye_y - along * sine_ + down * cosine_);
    }

private:
    const HeadShape& head_;
    double side_, cosine_, sine_;
};

Path eye_opening(const EyeFrame& eye, double w, double up, double down) {
    return blob({eye.at(-w, 0.1 * down), eye.at(-0.72 * w, -0.72 * up), eye.at(0, -up), eye.at(0.72 * w, -0.74 * up),
                 eye.at(w, -0.05 * up), eye.at(0.72 * w, 0.7 * down), eye.at(0, down), eye.at(-0.72 * w, 0.7 * down)});
}

void draw_closed_eye(const Pen& pen, const EyeFrame& eye, double w, double bend, double width) {
    pen.line(curve({eye.at(-w, -0.1 * bend), eye.at(-0.55 * w, 0.55 * bend), eye.at(0, 0.85 * bend),
                    eye.at(0.55 * w, 0.55 * bend), eye.at(w, -0.1 * bend)}),
             kLash, width, 0.45);
}

void draw_iris(const Pen& pen, const Figure& figure, const EyeFrame& eye, double side) {
    const HeadShape& head = figure.head;
    const double radius = 0.72 * head.eye_half_height, look = 0.3 * head.eye_half_width * figure.pose.gaze_x * side;
    const double fall = 0.22 * head.eye_half_height * figure.pose.gaze_y + 0.02;
    const Vec centre = eye.at(look, fall), rim = eye.at(look + radius, fall);
    const double radius_x = std::max(std::abs(rim.x - centre.x), 0.55 * radius);
    const Colour iris = colour_of(figure.identity.eye_colour);
    pen.bright(oval(centre, radius_x, radius), darker(iris, 0.45));
    pen.bright(oval(centre + Vec{0, 0.1 * radius}, 0.8 * radius_x, 0.8 * radius), iris);
    pen.bright(oval(centre + Vec{0, 0.05 * radius}, 0.46 * radius_x, 0.48 * radius), rgb(0x1B1620));
    pen.canvas().fill(circle(centre + Vec{pen.light_side() * 0.34 * radius_x, -0.36 * radius}, 0.3 * radius), kWhite);
}

void draw_lashes(const Pen& pen, const Figure& figure, const EyeFrame& eye, double w, double up) {
    const bool made_up = figure.identity.sex == Sex::Female;
    pen.line(curve({eye.at(-1.02 * w, -0.05 * up), eye.at(-0.72 * w, -0.74 * up), eye.at(0, -1.02 * up),
                    eye.at(0.74 * w, -0.76 * up), eye.at(1.06 * w, -0.08 * up)}),
             kLash, made_up ? 0.085 : 0.065, 0.4);
    if (made_up) pen.line(line({eye.at(0.92 * w, -0.4 * up), eye.at(1.34 * w, -0.72 * up)}), kLash, 0.06, 0.5);
}

void draw_eye(const Pen& pen, const Figure& figure, double side) {
    const HeadShape& head = figure.head;
    const EyeFrame eye(head, side);
    const double w = head.eye_half_width, openness = figure.pose.eye_openness;
    if (openness < 0.16) {
        const double bend = mix(0.42, -0.6, figure.pose.eye_smile) * head.eye_half_height;
        draw_closed_eye(pen, eye, w, bend, 0.085);
        return;
    }
    const double up = head.eye_half_height * openness;
    const double down = head.eye_half_height * mix(0.55, 1.0, std::min(openness, 1.0));
    const Path opening = eye_opening(eye, w, up, down);
    pen.bright(opening, kWhite);
    pen.canvas().clip(opening);
    draw_iris(pen, figure, eye, side);
    pen.canvas().clear_clip();
    pen.line(curve({eye.at(w, 0.1 * down), eye.at(0.72 * w, 0.72 * down), eye.at(0, 1.0 * down),
                    eye.at(-0.72 * w, 0.72 * down)}),
             mix(darker(skin_colour(figure.identity), 0.5), kLash, 0.3), 0.035, 0.7);
    draw_lashes(pen, figure, eye, w, up);
}

void draw_nose(const Pen& pen, const Figure& figure) {
    const HeadShape& head = figure.head;
    const double size = 1 + 0.22 * figure.identity.trait(Trait::NoseSize), y = head.nose_y;
    const Colour skin = skin_colour(figure.identity), line_colour = darker(saturated(skin, 1.2), 0.45);
    const Colour tip = mix(skin, rgb(0xE0605A), 0.25);
    const double lit = pen.light_side();
    const auto at = [&](double x, double dy) { return head.at(x * size, y + dy * size, 1.16); };
    switch (figure.identity.nose_shape) {
        case NoseShape::Button:
            pen.patch(oval(at(0, 0), 0.085 * size, 0.065 * size), tip);
            pen.line(curve({at(-0.085, 0.02), at(0, 0.075), at(0.085, 0.02)}), line_colour, 0.045, 0.6);
            break;
        case NoseShape::Round:
            pen.part(oval(at(0, -0.02), 0.13 * size, 0.115 * size), tip);
            break;
        case NoseShape::Long:
            pen.line(curve({head.at(-lit * 0.05, y - 0.34 * size, 1.05), at(-lit * 0.09, -0.12), at(-lit * 0.13, 0.03),
                            at(-lit * 0.05, 0.1), at(lit * 0.08, 0.07)}),
                     line_colour, 0.055, 0.5);
            break;
        case NoseShape::Wide:
            pen.patch(oval(at(0, 0), 0.18 * size, 0.075 * size), tip);
            pen.line(curve({at(-0.19, -0.02), at(-0.15, 0.08), at(-0.05, 0.05), at(0, 0.08), at(0.05, 0.05),
                            at(0.15, 0.08), at(0.19, -0.02)}),
                     line_colour, 0.05, 0.5);
            break;
    }
}

// The mouth in the front view: corners, the middle of the upper and of the lower lip.
struct MouthForm {
    double half_width, corner_y, top_y, bottom_y;
};

MouthForm mouth_form(const Figure& figure) {
    const Pose& pose = figure.pose;
    const HeadShape& head = figure.head;
    const double wide = head.mouth_half_width * (1 + 0.28 * std::max(pose.smile, 0.0));
    const double half_width = mix(wide, 0.18, pose.mouth_round);
    const double opening = 0.32 * pose.mouth_opening;
    MouthForm form{};
    form.half_width = half_width;
    form.corner_y = head.mouth_y - 0.085 * pose.smile * (1 - pose.mouth_round);
    form.top_y =
        head.mouth_y + (0.03 * pose.smile) * (1 - pose.mouth_round) - 0.3 * opening * mix(0.4, 1.0, pose.mouth_round);
    form.bottom_y = form.top_y + opening + 0.02 * std::max(pose.smile, 0.0);
    return form;
}

void draw_closed_mouth(const Pen& pen, const Figure& figure, const MouthForm& m) {
    const HeadShape& head = figure.head;
    const Colour lips = lip_colour(figure.identity);
    const double full =
        0.05 + 0.03 * figure.identity.trait(Trait::LipFullness) + (figure.identity.sex == Sex::Female ? 0.02 : 0);
    const double w = m.half_width, y = m.top_y;
    if (full > 0.035) {
        pen.patch(head.placed(blob({{-0.8 * w, mix(m.corner_y, y, 0.35)},
                                    {-0.3 * w, y - 0.9 * full},
                                    {0, y - 0.55 * full},
                                    {0.3 * w, y - 0.9 * full},
                                    {0.8 * w, mix(m.corner_y, y, 0.35)},
                                    {0.4 * w, y + 1.4 * full},
                                    {-0.4 * w, y + 1.4 * full}})),
                  lips);
    }
    pen.line(head.placed(curve({{-w, m.corner_y},
                                {-0.55 * w, mix(m.corner_y, y, 0.72)},
                                {0, y},
                                {0.55 * w, mix(m.corner_y, y, 0.72)},
                                {w, m.corner_y}})),
             darker(lips, 0.5), 0.062, 0.4);
}

void draw_open_mouth(const Pen& pen, const Figure& figure, const MouthForm& m) {
    const HeadShape& head = figure.head;
    const double w = m.half_width, height = m.bottom_y - m.top_y;
    const double belly = mix(0.78, 0.9, figure.pose.mouth_round);
    const double top_corner = mix(m.corner_y, m.top_y, 0.75);
    const Path inside = head.placed(blob({{-w, m.corner_y},
                                          {-w, m.corner_y},
                                          {-0.5 * w, top_corner - 0.12 * height * figure.pose.mouth_round},
                                          {0, m.top_y},
                                          {0.5 * w, top_corner - 0.12 * height * figure.pose.mouth_round},
                                          {w, m.corner_y},
                                          {w, m.corner_y},
                                          {belly * w, mix(m.corner_y, m.bottom_y, 0.6)},
                                          {0, m.bottom_y},
                                          {-belly * w, mix(m.corner_y, m.bottom_y, 0.6)}}));
    pen.patch(inside, kMouthInside);
    pen.canvas().clip(inside);
    const Vec tongue = head.at(0, m.bottom_y);
    pen.patch(oval(tongue, 0.72 * w, 0.38 * height), kTongue);
    if (figure.pose.mouth_round < 0.5) {
        const double teeth = m.top_y + std::min(0.1, 0.42 * height);
        pen.bright(head.placed(polygon({{-1.1 * w, m.corner_y - 0.1},
                                        {1.1 * w, m.corner_y - 0.1},
                                        {0.95 * w, mix(m.corner_y, teeth, 0.5)},
                                        {0.5 * w, teeth},
                                        {0, teeth + 0.02},
                                        {-0.5 * w, teeth},
                                        {-0.95 * w, mix(m.corner_y, teeth, 0.5)}})),
                   rgb(0xFFFBF4));
    }
    pen.canvas().clear_clip();
    const Colour lips = lip_colour(figure.identity);
    const double full = std::max(0.0, 0.5 + 0.5 * figure.identity.trait(Trait::LipFullness));
    pen.line(inside, figure.identity.sex == Sex::Female ? lips : darker(lips, 0.4), 0.045 + 0.03 * full);
}

}  // namespace

void draw_features(const Pen& pen, const Figure& figure) {
    draw_nose(pen, figure);
    const MouthForm form = mouth_form(figure);
    if (figure.pose.mouth_opening < 0.07) {
        draw_closed_mouth(pen, figure, form);
    } else {
        draw_open_mouth(pen, figure, form);
    }
    draw_eye(pen, figure, -1);
    draw_eye(pen, figure, 1);
}

void draw_brows(const Pen& pen, const Figure& figure) {
    const HeadShape& head = figure.head;
    const Pose& pose = figure.pose;
    const double thick =
        0.085 + 0.04 * figure.identity.trait(Trait::BrowThickness) + (figure.identity.sex == Sex::Male ? 0.015 : -0.01);
    const double tip = 0.06 * figure.identity.trait(Trait::BrowAngle);
    for (const double side : {-1.0, 1.0}) {
        const double y = head.brow_y - 0.13 * pose.brow_raise, inner = -0.05 * pose.brow_worry;
        const double frown = 0.09 * std::max(-pose.brow_raise, 0.0);
        pen.line(head.placed(curve({{side * (head.eye_x - 0.19), y + inner + frown + 0.2 * tip},
                                    {side * head.eye_x, y - 0.045},
                                    {side * (head.eye_x + 0.22), y + 0.03 - tip}})),
                 brow_colour(figure.identity), thick, 0.45);
    }
}

}  // namespace mirror::people
