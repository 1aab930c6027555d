#include "engine/face/alignment.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/core/limits.h"
#include "engine/face/resize.h"

namespace mirror::face {
namespace {

constexpr std::array<Point, 5> template_112{
    {{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}};

Point mean_of(const std::array<Point, 5>& points) {
    Point mean;
    for (const Point& point : points) {
        mean.x += point.x / 5.0;
        mean.y += point.y / 5.0;
    }
    return mean;
}

Point source_of(const Similarity& map, double x, double y) {
    const double square = map.a * map.a + map.b * map.b;
    const double dx = x - map.tx;
    const double dy = y - map.ty;
    return {(map.a * dx + map.b * dy) / square, (map.a * dy - map.b * dx) / square};
}

// The part of the picture that the result can show, with a margin for interpolation.
cv::Rect visible_part(const Frame& picture, const Similarity& map, int width, int height) {
    double left = std::numeric_limits<double>::max(), top = left, right = -left, bottom = -left;
    for (const Point corner :
         {Point{0, 0}, Point{width - 1.0, 0}, Point{0, height - 1.0}, Point{width - 1.0, height - 1.0}}) {
        const Point source = source_of(map, corner.x, corner.y);
        left = std::min(left, source.x);
        right = std::max(right, source.x);
        top = std::min(top, source.y);
        bottom = std::max(bottom, source.y);
    }
    const auto inside = [](double value, int most) { return static_cast<int>(std::clamp(value, 0.0, double(most))); };
    const int x0 = inside(left - 2, picture.width), x1 = inside(right + 3, picture.width);
    const int y0 = inside(top - 2, picture.height), y1 = inside(bottom + 3, picture.height);
    return {x0, y0, x1 - x0, y1 - y0};
}

}  // namespace

std::array<Point, 5> alignment_template(int size) {
    const bool wide = size % 112 != 0 && size % 128 == 0;  // The 128-pixel form has 8 pixels more at the left.
    const double scale = size / (wide ? 128.0 : 112.0);
    std::array<Point, 5> points = template_112;
    for (Point& point : points) point = {point.x * scale + (wide ? 8.0 * scale : 0.0), point.y * scale};
    return points;
}

Result<Similarity> fit_similarity(const std::array<Point, 5>& from, const std::array<Point, 5>& to) {
    const Point p0 = mean_of(from);
    const Point q0 = mean_of(to);
    double spread = 0, along = 0, across = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const double px = from[i].x - p0.x, py = from[i].y - p0.y;
        const double qx = to[i].x - q0.x, qy = to[i].y - q0.y;
        spread += px * px + py * py;
        along += px * qx + py * qy;
        across += px * qy - py * qx;
    }
    const double a = along / spread;
    const double b = across / spread;
    if (!std::isfinite(a * a + b * b) || a * a + b * b == 0)
        return Error{ErrorCode::NoFaceFound, "The face has no usable landmarks and cannot be aligned."};
    return Similarity{a, b, q0.x - (a * p0.x - b * p0.y), q0.y - (b * p0.x + a * p0.y)};
}

Frame warp(const Frame& picture, const Similarity& map, int width, int height) {
    Frame result{width, height, {}};
    result.rgb.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    const cv::Mat source(picture.height, picture.width, CV_8UC3, const_cast<std::uint8_t*>(picture.rgb.data()));
    cv::Mat target(height, width, CV_8UC3, result.rgb.data());
    // OpenCV addresses its source with 16 bits: of a huge picture only the part that counts is handed over.
    cv::Rect part(0, 0, picture.width, picture.height);
    if (std::max(picture.width, picture.height) >= std::numeric_limits<short>::max())
        part = visible_part(picture, map, width, height);
    if (part.empty() || std::max(part.width, part.height) >= std::numeric_limits<short>::max()) return result;
    const double tx = map.a * part.x - map.b * part.y + map.tx;
    const double ty = map.b * part.x + map.a * part.y + map.ty;
    const cv::Matx23d matrix(map.a, -map.b, tx, map.b, map.a, ty);
    cv::warpAffine(source(part), target, matrix, target.size(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
    return result;
}

Result<Frame> align_face(const Frame& picture, const std::array<Point, 5>& landmarks, int size) {
    const Result<Similarity> map = fit_similarity(landmarks, alignment_template(size));
    if (!map) return map.error();
    return warp(picture, map.value(), size, size);
}

Result<Window> square_window(const Frame& picture, const FaceBox& face, double expand) {
    const double side = std::round(expand * std::max(face.x1 - face.x0, face.y1 - face.y0));
    if (!(expand > 0) || !(side >= 1) || side * side > static_cast<double>(limits::kPhotographPixels))
        return Error{ErrorCode::InvalidRequest, "ref_crop_expand makes the crop of the face empty or too large."};
    Window window;
    window.side = static_cast<int>(side);
    const auto place = [&](double centre, int length) {
        const int first = static_cast<int>(std::lround(centre - side / 2));
        return std::clamp(first, std::min(0, length - window.side), std::max(0, length - window.side));
    };
    window.x = place((face.x0 + face.x1) / 2, picture.width);
    window.y = place((face.y0 + face.y1) / 2, picture.height);
    return window;
}

Frame cut(const Frame& picture, const Window& window) {
    Frame result{window.side, window.side, {}};
    result.rgb.resize(static_cast<std::size_t>(window.side) * static_cast<std::size_t>(window.side) * 3);
    const int x0 = std::max(0, window.x), x1 = std::min(picture.width, window.x + window.side);
    const int y0 = std::max(0, window.y), y1 = std::min(picture.height, window.y + window.side);
    if (x1 <= x0) return result;
    for (int y = y0; y < y1; ++y)
        std::memcpy(result.row(y - window.y) + 3 * (x0 - window.x), picture.row(y) + 3 * x0,
                    static_cast<std::size_t>(x1 - x0) * 3);
    return result;
}

Result<Frame> reference_crop(const Frame& picture, const FaceBox& face, ReferenceCrop crop, double expand, int size) {
    if (crop == ReferenceCrop::Whole) return resize_and_centre(picture, size);
    if (crop == ReferenceCrop::Arcface112) {
        const Result<Frame> aligned = align_face(picture, face.landmarks, 112);
        if (!aligned) return aligned.error();
        return resize_bicubic(aligned.value(), size, size);
    }
    const Result<Window> window = square_window(picture, face, expand);
    if (!window) return window.error();
    return resize_bicubic(cut(picture, window.value()), size, size);
}

}  // namespace mirror::face
