#include "engine/metrics/face_motion.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/metrics/identity_measures.h"

namespace mirror::metrics {

namespace {

double eye_distance(const FaceBox& face) {
    return std::hypot(face.landmarks[1].x - face.landmarks[0].x, face.landmarks[1].y - face.landmarks[0].y);
}

bool is_usable(const FaceBox& face, const MotionOptions& options) {
    return face.score >= options.least_score && eye_distance(face) >= options.least_eye_distance && face.x1 > face.x0 &&
           face.y1 > face.y0;
}

double summed_distance(const std::array<Point, 5>& a, const std::array<Point, 5>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::hypot(a[i].x - b[i].x, a[i].y - b[i].y);
    return sum;
}

std::array<Point, 5> in_parts_of(const std::array<Point, 5>& points, double width, double height) {
    std::array<Point, 5> parts{};
    for (std::size_t i = 0; i < points.size(); ++i) parts[i] = {points[i].x / width, points[i].y / height};
    return parts;
}

bool is_switch(std::span<const FaceSeen> references, const FaceSeen& before, const FaceSeen& now) {
    if (overlap(before.box, now.box) > 0) return false;
    const ObservedClip both{0, 0, {{0, before}, {1, now}}};
    const Series series = similarity_series(references, both, IdAverage::Similarities);
    return series[0] && series[1] && *series[1] < *series[0];
}

std::optional<double> reduced(const std::vector<double>& steps, InterReduce how) {
    if (steps.empty()) return std::nullopt;
    if (how == InterReduce::Max) return *std::max_element(steps.begin(), steps.end());
    double sum = 0;
    for (const double step : steps) sum += step;
    return how == InterReduce::Sum ? sum : sum / static_cast<double>(steps.size());
}

}  // namespace

std::array<Point, 5> normalised_landmarks(const FaceBox& face, FaceUnit unit) {
    Point origin{face.x0, face.y0}, size{face.x1 - face.x0, face.y1 - face.y0};
    if (unit == FaceUnit::Interocular) {
        const auto &left = face.landmarks[0], &right = face.landmarks[1];
        origin = {(left.x + right.x) / 2, (left.y + right.y) / 2};
        size.x = size.y = eye_distance(face);
    }
    std::array<Point, 5> points{};
    for (std::size_t i = 0; i < points.size(); ++i)
        points[i] = {(face.landmarks[i].x - origin.x) / size.x, (face.landmarks[i].y - origin.y) / size.y};
    return points;
}

std::optional<double> reference_motion(std::span<const FaceSeen> references, const ObservedClip& clip,
                                       const MotionOptions& options) {
    Series of_references;
    for (const FaceSeen& reference : references) {
        if (!is_usable(reference.box, options)) continue;
        const auto origin = normalised_landmarks(reference.box, options.unit);
        Series distances;
        for (const ObservedFrame& frame : clip.frames) {
            if (!frame.face || !is_usable(frame.face->box, options)) continue;
            distances.emplace_back(summed_distance(normalised_landmarks(frame.face->box, options.unit), origin));
        }
        of_references.push_back(mean_of(distances));
    }
    return mean_of(of_references);
}

std::optional<double> inter_frame_motion(std::span<const FaceSeen> references, const ObservedClip& clip,
                                         const MotionOptions& options) {
    std::vector<double> steps;
    const FaceSeen* before = nullptr;
    for (const ObservedFrame& frame : clip.frames) {
        if (!frame.face || !is_usable(frame.face->box, options)) continue;
        const FaceSeen& now = *frame.face;
        if (before != nullptr) {
            if (is_switch(references, *before, now)) continue;
            steps.push_back(summed_distance(in_parts_of(now.box.landmarks, clip.width, clip.height),
                                            in_parts_of(before->box.landmarks, clip.width, clip.height)));
        }
        before = &now;
    }
    return reduced(steps, options.inter_reduce);
}

double overlap(const FaceBox& a, const FaceBox& b) {
    const double width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
    const double height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
    if (width <= 0 || height <= 0) return 0;
    const auto area = [](const FaceBox& box) { return (box.x1 - box.x0) * (box.y1 - box.y0); };
    return width * height / (area(a) + area(b) - width * height);
}

}  // namespace mirror::metrics
