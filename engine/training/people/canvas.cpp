#include "engine/training/people/canvas.h"

#include <cmath>
#include <cstddef>

namespace mirror::people {

namespace {

constexpr double kStep = 3.0;  // Pixels of a line segment of a curve.

Colour shade_at(const Paint& paint, double share) { return mix(paint.from, paint.to, share); }

}  // namespace

Paint Paint::linear(Vec start, Colour from, Vec stop, Colour to) {
    Paint paint(from);
    paint.kind = Kind::Linear;
    paint.to = to;
    paint.start = start;
    paint.stop = stop;
    return paint;
}

Paint Paint::radial(Vec centre, Colour from, double radius, Colour to) {
    Paint paint = linear(centre, from, centre + Vec{radius, 0}, to);
    paint.kind = Kind::Radial;
    return paint;
}

Paint Paint::spot(Vec centre, double radius, Colour colour, double opacity) {
    Paint paint = radial(centre, colour, radius, colour);
    paint.opacity = opacity;
    paint.opacity_to = 0;
    return paint;
}

Canvas::Canvas(int width, int height, Colour background)
    : width_(width),
      height_(height),
      stride_(width + 2),
      pixels_(static_cast<std::size_t>(width) * height * 4),
      sums_(static_cast<std::size_t>(stride_) * height),
      coverage_(static_cast<std::size_t>(stride_) * height),
      clip_(static_cast<std::size_t>(stride_) * height) {
    for (std::size_t at = 0; at < pixels_.size(); at += 4) {
        pixels_[at] = background.r;
        pixels_[at + 1] = background.g;
        pixels_[at + 2] = background.b;
    }
}

Canvas::Area Canvas::area_of(const std::vector<Vec>& points, double margin) const {
    if (points.empty()) return {};
    Vec low = points.front(), high = low;
    for (const Vec point : points) {
        low = {std::min(low.x, point.x), std::min(low.y, point.y)};
        high = {std::max(high.x, point.x), std::max(high.y, point.y)};
    }
    const auto pixel = [](double value, int limit) {
        return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
    };
    return {pixel(std::floor(low.x - margin), width_), pixel(std::floor(low.y - margin), height_),
            pixel(std::ceil(high.x + margin) + 1, width_), pixel(std::ceil(high.y + margin) + 1, height_)};
}

// Signed area coverage as in font rasterisers: each edge adds, to the pixels it crosses, the change of coverage along
// the row. x beyond the left border counts as the border; beyond the right border it changes nothing that is seen.
void Canvas::accumulate_edge(Vec from, Vec to) {
    if (from.y == to.y) return;
    const float sign = from.y < to.y ? 1.0f : -1.0f;
    if (sign < 0) std::swap(from, to);
    if (to.y <= 0 || from.y >= height_) return;
    const double slope = (to.x - from.x) / (to.y - from.y);
    const int first = std::max(0, static_cast<int>(std::floor(from.y)));
    const int last = std::min(height_, static_cast<int>(std::ceil(to.y)));
    const double right = width_;
    for (int y = first; y < last; ++y) {
        const double top = std::max<double>(y, from.y), bottom = std::min<double>(y + 1, to.y);
        const double xa = std::clamp(from.x + (top - from.y) * slope, 0.0, right);
        const double xb = std::clamp(from.x + (bottom - from.y) * slope, 0.0, right);
        const auto x0 = static_cast<float>(std::min(xa, xb)), x1 = static_cast<float>(std::max(xa, xb));
        const float change = sign * static_cast<float>(bottom - top);
        float* row = sums_.data() + static_cast<std::size_t>(y) * stride_;
        const int left = static_cast<int>(x0), end = static_cast<int>(std::ceil(x1));
        if (end <= left + 1) {
            const float mean = 0.5f * (x0 + x1) - static_cast<float>(left);
            row[left] += change * (1 - mean);
            row[left + 1] += change * mean;
            continue;
        }
        // The edge crosses several pixels of the row: the covered area grows as a quadratic, evenly, a quadratic.
        const float per_pixel = 1 / (x1 - x0), lead = 1 - (x0 - static_cast<float>(left));
        float covered = 0.5f * per_pixel * lead * lead;
        row[left] += change * covered;
        float before = covered;
        for (int x = left + 1; x < end; ++x) {
            const float span = std::min(x1, static_cast<float>(x + 1)) - x0,
                        missing = static_cast<float>(x + 1) - x0 - span;
            const float area = per_pixel * (0.5f * span * span + span * missing);
            const float previous = static_cast<float>(x) - x0;
            const float sum = area - per_pixel * 0.5f * previous * previous;  // Share of this pixel that is covered.
            row[x] += change * (sum - before);
            before = sum;
        }
        row[end] += change * (1 - before);
    }
}

Canvas::Area Canvas::cover_inside(const Path& path) {
    flatten(path, view_, kStep, points_);
    const Area area = area_of(points_, 0);
    if (area.empty() || points_.size() < 3) return {};
    for (std::size_t index = 0; index < points_.size(); ++index) {
        accumulate_edge(points_[index], points_[index + 1 == points_.size() ? 0 : index + 1]);
    }
    const int cleared_to = std::min(area.x1 + 1, stride_);
    for (int y = area.y0; y < area.y1; ++y) {
        float* sums = sums_.data() + static_cast<std::size_t>(y) * stride_;
        float* coverage = coverage_.data() + static_cast<std::size_t>(y) * stride_;
        float sum = 0;
        for (int x = area.x0; x < area.x1; ++x) {
            sum += sums[x];
            coverage[x] = std::min(std::abs(sum), 1.0f);
        }
        std::fill(sums + area.x0, sums + cleared_to, 0.0f);
    }
    return area;
}

void Canvas::cover_capsule(Vec from, Vec to, double radius_from, double radius_to, double softness) {
    const Vec along = to - from;
    const double squared = along.x * along.x + along.y * along.y;
    const double margin = std::max(radius_from, radius_to) + 0.5 * softness;
    const int x0 = std::max(0, static_cast<int>(std::floor(std::min(from.x, to.x) - margin)));
    const int y0 = std::max(0, static_cast<int>(std::floor(std::min(from.y, to.y) - margin)));
    const int x1 = std::min(width_, static_cast<int>(std::ceil(std::max(from.x, to.x) + margin)));
    const int y1 = std::min(height_, static_cast<int>(std::ceil(std::max(from.y, to.y) + margin)));
    const auto ax = static_cast<float>(along.x), ay = static_cast<float>(along.y);
    const float inverse = squared > 0 ? static_cast<float>(1 / squared) : 0;
    const auto radius = static_cast<float>(radius_from), growth = static_cast<float>(radius_to - radius_from);
    const auto sharpness = static_cast<float>(1 / softness);
    for (int y = y0; y < y1; ++y) {
        float* coverage = coverage_.data() + static_cast<std::size_t>(y) * stride_;
        const float py = static_cast<float>(y + 0.5 - from.y);
        const float px0 = static_cast<float>(0.5 - from.x);
        for (int x = x0; x < x1; ++x) {
            const float px = static_cast<float>(x) + px0;
            const float t = std::clamp((px * ax + py * ay) * inverse, 0.0f, 1.0f);
            const float ex = px - t * ax, ey = py - t * ay;
            const float distance = std::sqrt(ex * ex + ey * ey);
            const float covered = std::clamp((radius + t * growth - distance) * sharpness + 0.5f, 0.0f, 1.0f);
            coverage[x] = std::max(coverage[x], covered);
        }
    }
}

Canvas::Area Canvas::cover_along(const Path& path, const StrokeShape& shape) {
    flatten(path, view_, kStep, points_);
    const double scale = view_.scale();
    // Half a pixel of blur on each side; a line thinner than that would fade away.
    const double radius = std::max(0.5 * shape.width * scale, 0.35), softness = 1 + shape.softness * scale;
    const Area area = area_of(points_, radius + 0.5 * softness);
    if (area.empty()) return {};
    for (int y = area.y0; y < area.y1; ++y) {
        float* coverage = coverage_.data() + static_cast<std::size_t>(y) * stride_;
        std::fill(coverage + area.x0, coverage + area.x1, 0.0f);
    }
    const std::size_t count = points_.size(), spans = path.is_closed() ? count : count - 1;
    const auto radius_at = [&](std::size_t index) {
        if (shape.taper == 0 || count < 2) return radius;
        const double from_middle = 2.0 * static_cast<double>(index) / static_cast<double>(count - 1) - 1;
        return radius * (1 - shape.taper * from_middle * from_middle);
    };
    if (spans == 0) cover_capsule(points_[0], points_[0], radius, radius, softness);
    for (std::size_t index = 0; index < spans; ++index) {
        cover_capsule(points_[index], points_[(index + 1) % count], radius_at(index), radius_at(index + 1), softness);
    }
    return area;
}

template <typename Shade>
void Canvas::compose_with(const Area& area, const Shade& shade) {
    for (int y = area.y0; y < area.y1; ++y) {
        const float* coverage = coverage_.data() + static_cast<std::size_t>(y) * stride_;
        const float* clip = clip_.data() + static_cast<std::size_t>(y) * stride_;
        float* pixel = pixels_.data() + (static_cast<std::size_t>(y) * width_ + area.x0) * 4;
        for (int x = area.x0; x < area.x1; ++x, pixel += 4) {
            float share = coverage[x];
            if (share == 0) continue;
            if (has_clip_) share *= clip[x];
            float opacity = 1;
            const Colour colour = shade(x, y, opacity);
            share *= opacity;
            pixel[0] += (colour.r - pixel[0]) * share;
            pixel[1] += (colour.g - pixel[1]) * share;
            pixel[2] += (colour.b - pixel[2]) * share;
        }
    }
}

void Canvas::compose(const Area& area, const Paint& paint) {
    const auto opacity_from = static_cast<float>(paint.opacity);
    if (paint.kind == Paint::Kind::Flat) {
        const Colour colour = paint.from;
        compose_with(area, [=](int, int, float& opacity) {
            opacity = opacity_from;
            return colour;
        });
        return;
    }
    const Vec start = view_(paint.start), stop = view_(paint.stop), along = stop - start;
    const double squared = std::max(along.x * along.x + along.y * along.y, 1e-12);
    const auto opacity_change = static_cast<float>(paint.opacity_to - paint.opacity);
    const auto fx = static_cast<float>(start.x - 0.5), fy = static_cast<float>(start.y - 0.5);
    const auto gx = static_cast<float>(along.x / squared), gy = static_cast<float>(along.y / squared);
    const auto inverse_radius = static_cast<float>(1 / std::sqrt(squared));
    const bool is_linear = paint.kind == Paint::Kind::Linear;
    compose_with(area, [&](int x, int y, float& opacity) {
        const float px = static_cast<float>(x) - fx, py = static_cast<float>(y) - fy;
        const float share = is_linear ? px * gx + py * gy : std::sqrt(px * px + py * py) * inverse_radius;
        const float inside = std::clamp(share, 0.0f, 1.0f);
        opacity = opacity_from + opacity_change * inside;
        return shade_at(paint, inside);
    });
}

void Canvas::fill(const Path& path, const Paint& paint) {
    const Area area = cover_inside(path);
    if (!area.empty()) compose(area, paint);
}

void Canvas::stroke(const Path& path, const StrokeShape& shape, const Paint& paint) {
    const Area area = cover_along(path, shape);
    if (!area.empty()) compose(area, paint);
}

void Canvas::clip(const Path& path) {
    const Area area = cover_inside(path);
    std::fill(clip_.begin(), clip_.end(), 0.0f);
    for (int y = area.y0; y < area.y1; ++y) {
        const auto row = static_cast<std::ptrdiff_t>(y) * stride_;
        std::copy(coverage_.begin() + row + area.x0, coverage_.begin() + row + area.x1, clip_.begin() + row + area.x0);
    }
    has_clip_ = true;
}

void Canvas::copy_to(std::uint8_t* out, Colour light) const {
    const float scale[3] = {light.r * 255, light.g * 255, light.b * 255};
    for (std::size_t at = 0; at < pixels_.size(); at += 4, out += 3) {
        for (int channel = 0; channel < 3; ++channel) {
            const float value =
                std::clamp(pixels_[at + static_cast<std::size_t>(channel)] * scale[channel], 0.0f, 255.0f);
            out[channel] = static_cast<std::uint8_t>(value + 0.5f);
        }
    }
}

}  // namespace mirror::people
