#include "engine/face/canvas_detector.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace mirror::face {
namespace {

constexpr std::array<int, 7> picture_sides{640, 576, 512, 448, 384, 320, 256};
constexpr double margin = 0.25;  // Of the picture's size, on each side.
constexpr int margin_grey = 128;
constexpr std::size_t most_faces = 1000;

cv::Mat view(const Frame& frame) {
    return {frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data())};
}

Frame filled(int width, int height, std::uint8_t value) {
    const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    return {width, height, std::vector<std::uint8_t>(pixels * 3, value)};
}

// As insightface fits a picture, fractions cut off.
cv::Size fitted_size(const Frame& picture, int side) {
    const double ratio = static_cast<double>(picture.height) / picture.width;
    const int width = ratio > 1 ? static_cast<int>(side / ratio) : side;
    const int height = ratio > 1 ? side : static_cast<int>(side * ratio);
    return {std::max(width, 1), std::max(height, 1)};
}

FaceBox scaled(FaceBox face, double scale) {
    for (double* value : {&face.x0, &face.y0, &face.x1, &face.y1}) *value /= scale;
    for (Point& point : face.landmarks) point = {point.x / scale, point.y / scale};
    return face;
}

// What lies in the picture of it; nothing if that is less than a pixel.
bool clip(FaceBox& face, const Frame& picture) {
    face.x0 = std::clamp(face.x0, 0.0, static_cast<double>(picture.width));
    face.x1 = std::clamp(face.x1, 0.0, static_cast<double>(picture.width));
    face.y0 = std::clamp(face.y0, 0.0, static_cast<double>(picture.height));
    face.y1 = std::clamp(face.y1, 0.0, static_cast<double>(picture.height));
    return face.x1 - face.x0 >= 1 && face.y1 - face.y0 >= 1;
}

double overlap(const FaceBox& a, const FaceBox& b, double edge) {
    const auto area = [edge](const FaceBox& box) { return (box.x1 - box.x0 + edge) * (box.y1 - box.y0 + edge); };
    const double width = std::max(0.0, std::min(a.x1, b.x1) - std::max(a.x0, b.x0) + edge);
    const double height = std::max(0.0, std::min(a.y1, b.y1) - std::max(a.y0, b.y0) + edge);
    return width * height / (area(a) + area(b) - width * height);
}

}  // namespace

std::vector<FaceBox> CanvasDetector::detect_at(const Frame& picture, int side) {
    const cv::Size size = fitted_size(picture, side);
    const Frame canvas = filled(canvas_side, canvas_side, 0);
    cv::Mat target = view(canvas)(cv::Rect({0, 0}, size));
    cv::resize(view(picture), target, size, 0, 0, cv::INTER_LINEAR);
    std::vector<FaceBox> faces;
    for (const FaceBox& found : detect_on(canvas))
        faces.push_back(scaled(found, static_cast<double>(size.height) / picture.height));
    faces = keep_best(std::move(faces), rule_);
    std::erase_if(faces, [&](FaceBox& face) { return !clip(face, picture); });
    complete(picture, faces);
    return faces;
}

std::vector<FaceBox> CanvasDetector::detect_with_margin(const Frame& picture) {
    const int left = static_cast<int>(std::lround(picture.width * margin));
    const int top = static_cast<int>(std::lround(picture.height * margin));
    const Frame larger = filled(picture.width + 2 * left, picture.height + 2 * top, margin_grey);
    view(picture).copyTo(view(larger)(cv::Rect(left, top, picture.width, picture.height)));
    std::vector<FaceBox> faces = detect_at(larger, canvas_side);
    for (FaceBox& face : faces) {
        face.x0 -= left, face.x1 -= left, face.y0 -= top, face.y1 -= top;
        for (Point& point : face.landmarks) point = {point.x - left, point.y - top};
    }
    std::erase_if(faces, [&](FaceBox& face) { return !clip(face, picture); });
    return faces;
}

std::vector<FaceBox> CanvasDetector::detect(const Frame& picture) {
    for (const int side : picture_sides) {
        std::vector<FaceBox> faces = detect_at(picture, side);
        if (!faces.empty()) return faces;
    }
    return detect_with_margin(picture);
}

std::vector<FaceBox> keep_best(std::vector<FaceBox> faces, const OverlapRule& rule) {
    std::stable_sort(faces.begin(), faces.end(), [](const FaceBox& a, const FaceBox& b) { return a.score > b.score; });
    std::vector<FaceBox> best;
    for (const FaceBox& face : faces) {
        if (best.size() == most_faces) break;
        const bool is_new = std::none_of(best.begin(), best.end(), [&](const FaceBox& other) {
            return overlap(face, other, rule.edge) > rule.most;
        });
        if (is_new) best.push_back(face);
    }
    return best;
}

bool is_finite(const FaceBox& face) {
    double sum = face.x0 + face.y0 + face.x1 + face.y1 + face.score;
    for (const Point& point : face.landmarks) sum += point.x + point.y;
    return std::isfinite(sum);
}

}  // namespace mirror::face
