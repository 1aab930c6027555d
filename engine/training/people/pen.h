#pragma once

// A picture style: how a filled part, its outline, a line and the background look. Drawing code names plain colours and
// shapes; the pen turns them into the style.

#include "engine/training/people/canvas.h"
#include "engine/training/people/people.h"

namespace mirror::people {

enum class Edge { Outlined, Bare };

class Pen {
public:
    // `light_side`: -1 for light from the image's left, 1 from its right.
    Pen(Canvas& canvas, Style style, double light_side) : canvas_(canvas), style_(style), light_side_(light_side) {}

    Canvas& canvas() const { return canvas_; }
    Style style() const { return style_; }
    double light_side() const { return light_side_; }

    // A part of the person: filled, shaded and outlined as the style wants.
    void part(const Path& path, Colour colour, Edge edge = Edge::Outlined) const;
    // A patch on a part: no outline of its own.
    void patch(const Path& path, Colour colour, double opacity = 1) const;
    // A round patch that fades away.
    void glow(Vec centre, double radius, Colour colour, double opacity) const;
    // A line in the colour itself: features, seams, strands.
    void line(const Path& path, Colour colour, double width, double taper = 0) const;
    void outline(const Path& path, Colour colour) const;
    // Bright in every style: eyes and teeth.
    void bright(const Path& path, Colour colour) const;
    // The darker side of a part, away from the light. Clips to `path` while it draws.
    void shade(const Path& path, Colour colour) const;
    // Highlights exist in some styles only.
    void shine(const Path& path, double width, double opacity) const;

    // Parts of the background.
    void backdrop(const Path& path, Colour colour) const;
    void backdrop(const Path& path, Colour top, Colour bottom) const;  // A gradient down the path's box.
    void backdrop_line(const Path& path, Colour colour, double width) const;

    Colour surface(Colour colour) const;

private:
    Colour line_colour(Colour colour) const;
    Colour backdrop_colour(Colour colour) const;

    Canvas& canvas_;
    Style style_;
    double light_side_;
};

// What is under everything.
Colour ground_colour(Style style);

}  // namespace mirror::people
