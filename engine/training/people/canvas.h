#pragma once

// Anti-aliased drawing into a picture: fills with exact area coverage, round strokes, gradients and one clip. Not
// thread-safe; make one for each thread.

#include <cstdint>
#include <vector>

#include "engine/training/people/colour.h"
#include "engine/training/people/path.h"

namespace mirror::people {

// Coordinates of gradients are drawing coordinates of the moment of use.
struct Paint {
    enum class Kind { Flat, Linear, Radial };

    Colour from;
    double opacity = 1;
    Kind kind = Kind::Flat;
    Colour to;
    Vec start, stop;  // Radial: the middle, and a point of the circle where `to` is reached.
    double opacity_to = 1;

    Paint(Colour colour, double share = 1) : from(colour), opacity(share), to(colour), opacity_to(share) {}
    static Paint linear(Vec start, Colour from, Vec stop, Colour to);
    static Paint radial(Vec centre, Colour from, double radius, Colour to);
    // From `opacity` in the middle to nothing.
    static Paint spot(Vec centre, double radius, Colour colour, double opacity);
};

struct StrokeShape {
    double width = 0.05;  // Drawing coordinates.
    double taper = 0;     // 0: even; 1: the ends are points.
    double softness = 0;  // Width of the blurred edge beyond one pixel, in drawing coordinates.
};

class Canvas {
public:
    Canvas(int width, int height, Colour background);

    int width() const { return width_; }
    int height() const { return height_; }

    const Transform& view() const { return view_; }
    void set_view(const Transform& pixels) { view_ = pixels; }

    void fill(const Path& path, const Paint& paint);
    void stroke(const Path& path, const StrokeShape& shape, const Paint& paint);

    // Everything is drawn inside `path` only, until clear_clip().
    void clip(const Path& path);
    void clear_clip() { has_clip_ = false; }

    // 8-bit RGB, each channel times `light` and rounded; `out` holds width * height * 3 bytes.
    void copy_to(std::uint8_t* out, Colour light) const;

private:
    struct Area {
        int x0 = 0, y0 = 0, x1 = 0, y1 = 0;  // Half open.
        bool empty() const { return x0 >= x1 || y0 >= y1; }
    };

    Area area_of(const std::vector<Vec>& points, double margin) const;
    void accumulate_edge(Vec from, Vec to);
    Area cover_inside(const Path& path);
    Area cover_along(const Path& path, const StrokeShape& shape);
    void cover_capsule(Vec from, Vec to, double radius_from, double radius_to, double softness);
    void compose(const Area& area, const Paint& paint);
    template <typename Shade>
    void compose_with(const Area& area, const Shade& shade);

    int width_;
    int height_;
    int stride_;  // Of the coverage buffers: one column more than the picture has, and a spare.
    Transform view_;
    bool has_clip_ = false;
    std::vector<float> pixels_;    // [height, width, 4]
    std::vector<float> sums_;      // Changes of coverage along a row; zero between calls.
    std::vector<float> coverage_;  // [height, stride]; valid in the area of the last cover_...()
    std::vector<float> clip_;      // [height, stride]
    std::vector<Vec> points_;
};

}  // namespace mirror::people
