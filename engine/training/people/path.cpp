#include "engine/training/people/path.h"

#include <cstddef>
#include <numbers>
#include <utility>

namespace mirror::people {

namespace {

constexpr double kCoincident = 1e-9;
constexpr int kMaxPieces = 24;

// Hermite splines with chord-length tangents: smooth through unevenly spaced points without loops or overshoot.
Vec tangent(Vec before, Vec at, Vec after) {
    const Vec in = at - before, out = after - at;
    const double d_in = length(in), d_out = length(out);
    if (d_in < kCoincident && d_out < kCoincident) return {};
    if (d_in < kCoincident) return out * (1 / d_out);
    if (d_out < kCoincident) return in * (1 / d_in);
    return (in * (d_out / d_in) + out * (d_in / d_out)) * (1 / (d_in + d_out));
}

int pieces_of(double chord, double step) {
    return std::clamp(static_cast<int>(std::ceil(chord / step)), 1, kMaxPieces);
}

void append_curve(Vec from, Vec to, Vec tangent_from, Vec tangent_to, double step, std::vector<Vec>& out) {
    const double chord = length(to - from);
    if (chord < kCoincident) return;
    const int pieces = pieces_of(chord, step);
    const Vec m0 = tangent_from * chord, m1 = tangent_to * chord;
    for (int piece = 0; piece < pieces; ++piece) {
        const double t = static_cast<double>(piece) / pieces, t2 = t * t, t3 = t2 * t;
        out.push_back(from * (2 * t3 - 3 * t2 + 1) + m0 * (t3 - 2 * t2 + t) + to * (3 * t2 - 2 * t3) + m1 * (t3 - t2));
    }
}

void append_line(Vec from, Vec to, double step, std::vector<Vec>& out) {
    const int pieces = pieces_of(length(to - from), 4 * step);
    for (int piece = 0; piece < pieces; ++piece) out.push_back(mix(from, to, static_cast<double>(piece) / pieces));
}

}  // namespace

Path Path::mirrored() const {
    Path result = *this;
    for (Vec& point : result.points) point.x = -point.x;
    return result;
}

Path Path::moved(Vec by) const {
    Path result = *this;
    for (Vec& point : result.points) point = point + by;
    return result;
}

Path polygon(std::vector<Vec> points) { return {std::move(points), Path::Joint::Straight, Path::End::Closed}; }
Path line(std::vector<Vec> points) { return {std::move(points), Path::Joint::Straight, Path::End::Open}; }
Path blob(std::vector<Vec> points) { return {std::move(points), Path::Joint::Smooth, Path::End::Closed}; }
Path curve(std::vector<Vec> points) { return {std::move(points), Path::Joint::Smooth, Path::End::Open}; }

Path oval(Vec centre, double radius_x, double radius_y, double angle) {
    constexpr int kPoints = 12;
    Path path = blob({});
    path.points.reserve(kPoints);
    const double c = std::cos(angle), s = std::sin(angle);
    for (int index = 0; index < kPoints; ++index) {
        const double turn = 2 * std::numbers::pi * index / kPoints;
        const Vec p{radius_x * std::cos(turn), radius_y * std::sin(turn)};
        path.points.push_back(centre + Vec{c * p.x - s * p.y, s * p.x + c * p.y});
    }
    return path;
}

Path circle(Vec centre, double radius) { return oval(centre, radius, radius); }

Path rectangle(Vec low, Vec high) { return polygon({low, {high.x, low.y}, high, {low.x, high.y}}); }

std::vector<Vec> with_mirror_images(std::vector<Vec> right_side) {
    for (std::size_t index = right_side.size(); index-- > 0;) {
        const Vec point = right_side[index];
        if (point.x != 0) right_side.push_back({-point.x, point.y});
    }
    return right_side;
}

Box box_of(const Path& path) {
    if (path.points.empty()) return {};
    Box box{path.points.front(), path.points.front()};
    for (const Vec point : path.points) {
        box.low = {std::min(box.low.x, point.x), std::min(box.low.y, point.y)};
        box.high = {std::max(box.high.x, point.x), std::max(box.high.y, point.y)};
    }
    return box;
}

void flatten(const Path& path, const Transform& pixels, double step, std::vector<Vec>& out) {
    out.clear();
    static thread_local std::vector<Vec> placed;
    placed.clear();
    for (const Vec point : path.points) placed.push_back(pixels(point));
    const std::size_t count = placed.size();
    if (count == 0) return;
    const std::size_t spans = path.is_closed() ? count : count - 1;
    const auto at = [&](std::size_t index, std::ptrdiff_t offset) {
        const auto wanted = static_cast<std::ptrdiff_t>(index) + offset, size = static_cast<std::ptrdiff_t>(count);
        if (path.is_closed()) return placed[static_cast<std::size_t>((wanted + size) % size)];
        return placed[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(wanted, 0, size - 1))];
    };
    for (std::size_t span = 0; span < spans; ++span) {
        const Vec from = at(span, 0), to = at(span, 1);
        if (path.joint == Path::Joint::Straight) {
            append_line(from, to, step, out);
        } else {
            append_curve(from, to, tangent(at(span, -1), from, to), tangent(from, to, at(span, 2)), step, out);
        }
    }
    if (!path.is_closed()) out.push_back(placed.back());
}

}  // namespace mirror::people
