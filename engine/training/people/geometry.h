#pragma once

// Points and affine maps of the plane. x runs to the right, y down.

#include <algorithm>
#include <cmath>
#include <vector>

namespace mirror::people {

struct Vec {
    double x = 0;
    double y = 0;
    friend bool operator==(const Vec&, const Vec&) = default;
};

inline Vec operator+(Vec a, Vec b) { return {a.x + b.x, a.y + b.y}; }
inline Vec operator-(Vec a, Vec b) { return {a.x - b.x, a.y - b.y}; }
inline Vec operator*(Vec a, double s) { return {a.x * s, a.y * s}; }
inline double length(Vec a) { return std::sqrt(a.x * a.x + a.y * a.y); }
inline Vec mix(Vec a, Vec b, double share) { return a + (b - a) * share; }
inline double mix(double a, double b, double share) { return a + (b - a) * share; }

// 0 below `low`, 1 above `high`, an S-curve between.
inline double smooth_step(double low, double high, double value) {
    const double t = std::clamp((value - low) / (high - low), 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

// Pixels from drawing coordinates: first scaled and turned, then moved.
struct Transform {
    double xx = 1, xy = 0, yx = 0, yy = 1;  // x' = xx x + xy y + dx
    double dx = 0, dy = 0;

    Vec operator()(Vec p) const { return {xx * p.x + xy * p.y + dx, yx * p.x + yy * p.y + dy}; }
    double scale() const { return std::sqrt(std::abs(xx * yy - xy * yx)); }

    static Transform placed(Vec origin, double scale, double angle = 0) {
        const double c = scale * std::cos(angle), s = scale * std::sin(angle);
        return {c, -s, s, c, origin.x, origin.y};
    }
};

// `outer` after `inner`.
inline Transform operator*(const Transform& outer, const Transform& inner) {
    const Vec origin = outer({inner.dx, inner.dy});
    return {outer.xx * inner.xx + outer.xy * inner.yx,
            outer.xx * inner.xy + outer.xy * inner.yy,
            outer.yx * inner.xx + outer.yy * inner.yx,
            outer.yx * inner.xy + outer.yy * inner.yy,
            origin.x,
            origin.y};
}

}  // namespace mirror::people
