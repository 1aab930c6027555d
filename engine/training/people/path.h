#pragma once

// Shapes by control points: polygons and smooth curves, open and closed. They become line segments only when the size
// in pixels is known.

#include <initializer_list>
#include <vector>

#include "engine/training/people/geometry.h"

namespace mirror::people {

struct Path {
    enum class Joint { Straight, Smooth };
    enum class End { Open, Closed };

    std::vector<Vec> points;
    Joint joint = Joint::Straight;
    End end = End::Closed;

    bool is_closed() const { return end == End::Closed; }
    Path mirrored() const;  // x becomes -x.
    Path moved(Vec by) const;
};

struct Box {
    Vec low, high;
    Vec centre() const { return mix(low, high, 0.5); }
    Vec size() const { return high - low; }
};

// A control point given twice in a row is a corner of a smooth path.
Path polygon(std::vector<Vec> points);
Path line(std::vector<Vec> points);
Path blob(std::vector<Vec> points);   // smooth and closed
Path curve(std::vector<Vec> points);  // smooth and open
Path oval(Vec centre, double radius_x, double radius_y, double angle = 0);
Path circle(Vec centre, double radius);
Path rectangle(Vec low, Vec high);

// Mirror images of the points (except those on the axis) are put behind them in reverse order.
std::vector<Vec> with_mirror_images(std::vector<Vec> right_side);

Box box_of(const Path& path);

// Line segments of at most about `step` pixels; closed paths do not repeat the first point.
void flatten(const Path& path, const Transform& pixels, double step, std::vector<Vec>& out);

}  // namespace mirror::people
