#include "engine/training/material_checks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

namespace mirror::engine::training {

namespace {

constexpr double kNoseDepth = 0.6;     // Of a face, in distances between the eyes.
constexpr double kFaceFromTop = 0.42;  // Of the window: where the middle of the face goes.

// [H, W], float32, 0..255.
at::Tensor grey_of(const at::Tensor& pixels) {
    const at::Tensor weights = at::tensor({0.299F, 0.587F, 0.114F}).view({3, 1, 1});
    return (pixels.to(at::kFloat) * weights).sum(0);
}

std::string number(double value) { return std::to_string(std::lround(value)); }
std::string hundredth(double value) {
    const std::string digits = std::to_string(std::round(value * 100) / 100);
    return digits.substr(0, digits.find('.') + 3);
}

FaceBox around(const std::vector<FaceBox>& faces) {
    FaceBox all = faces.front();
    for (const FaceBox& face : faces) {
        all.x0 = std::min(all.x0, face.x0);
        all.y0 = std::min(all.y0, face.y0);
        all.x1 = std::max(all.x1, face.x1);
        all.y1 = std::max(all.y1, face.y1);
    }
    return all;
}

double between(double low, double value, double high) { return std::clamp(value, low, std::max(low, high)); }

struct Placement2D {
    double scale = 1, left = 0;  // Result pixels of a picture pixel, and where the picture begins.
};

Placement2D placement_of(const Window& window, int width, int height) {
    Placement2D placement;
    placement.scale = static_cast<double>(height) / window.height;
    if (window.padded) placement.left = std::round((width - window.width * placement.scale) / 2);
    return placement;
}

}  // namespace

at::Tensor pixels_of(const Frame& picture) {
    const at::Tensor rows = at::empty({picture.height, picture.width, 3}, at::kByte);
    std::memcpy(rows.data_ptr(), picture.rgb.data(), picture.rgb.size());
    return rows.permute({2, 0, 1}).contiguous();
}

std::uint64_t perceptual_hash(const at::Tensor& pixels) {
    const at::Tensor cells = at::adaptive_avg_pool2d(grey_of(pixels).unsqueeze(0), {8, 9})[0].contiguous();
    const float* cell = cells.const_data_ptr<float>();
    std::uint64_t bits = 0;
    for (int row = 0; row < 8; ++row) {
        for (int column = 0; column < 8; ++column)
            bits = bits << 1 | static_cast<std::uint64_t>(cell[row * 9 + column] > cell[row * 9 + column + 1]);
    }
    return bits;
}

int different_bits(std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b); }

double sharpness_of(const at::Tensor& signal) {
    const at::Tensor grey = grey_of((signal + 1.0) * 127.5);
    const std::int64_t h = grey.size(0) - 2, w = grey.size(1) - 2;
    const auto part = [&](std::int64_t y, std::int64_t x) { return grey.narrow(0, y, h).narrow(1, x, w); };
    const at::Tensor laplacian = part(0, 1) + part(2, 1) + part(1, 0) + part(1, 2) - 4.0 * part(1, 1);
    return laplacian.var().item<double>();
}

double yaw_of(const FaceBox& face) {
    const Point &left = face.landmarks[0], &right = face.landmarks[1], &nose = face.landmarks[2];
    const double dx = right.x - left.x, dy = right.y - left.y, distance = std::max(std::hypot(dx, dy), 1e-6);
    const double along = ((nose.x - (left.x + right.x) / 2) * dx + (nose.y - (left.y + right.y) / 2) * dy) / distance;
    return std::abs(std::atan(along / distance / kNoseDepth)) * 180.0 / std::numbers::pi;
}

double motion_between(const at::Tensor& before, const at::Tensor& after) {
    return (grey_of(before) - grey_of(after)).abs().mean().item<double>();
}

std::optional<std::string> face_objection(const std::vector<FaceBox>& faces, int width, int height,
                                          const MaterialOptions& options) {
    if (faces.empty()) return "no face was found";
    if (faces.size() > 1) return "it shows " + std::to_string(faces.size()) + " faces instead of one";
    const FaceBox& face = faces.front();
    const double side = std::max(face.x1 - face.x0, face.y1 - face.y0);
    const double area = (face.x1 - face.x0) * (face.y1 - face.y0) / (static_cast<double>(width) * height);
    if (face.score < options.face_score)
        return "the detector gives its face " + hundredth(face.score) + ", less than " + hundredth(options.face_score);
    if (side < options.face_side)
        return "its face is " + number(side) + " pixels large, less than " + std::to_string(options.face_side);
    if (area < options.least_face_area || area > options.most_face_area)
        return "its face takes " + hundredth(area) + " of the picture, outside of " +
               hundredth(options.least_face_area) + " to " + hundredth(options.most_face_area);
    if (yaw_of(face) > options.most_yaw)
        return "the face is turned away by " + number(yaw_of(face)) + " degrees, more than " + number(options.most_yaw);
    return {};
}

std::optional<Window> window_around(const std::vector<FaceBox>& faces, int width, int height,
                                    const MaterialOptions& options) {
    const double shape = static_cast<double>(options.width) / options.height;
    const FaceBox all = around(faces);
    const double face_height = faces.front().y1 - faces.front().y0;
    const double most = std::min<double>(height, width / shape);
    const double least = std::max({face_height / options.most_face_height, all.y1 - all.y0, (all.x1 - all.x0) / shape});
    Window window;
    if (most >= least) {
        window.height = std::max(least, std::min(most, face_height / std::max(options.least_face_height, 1e-6)));
        window.width = window.height * shape;
        const double x = (all.x0 + all.x1) / 2 - window.width / 2;
        const double y = (all.y0 + all.y1) / 2 - window.height * kFaceFromTop;
        window.x = between(0, x, width - window.width);
        window.y = between(0, y, height - window.height);
        return window;
    }
    if (static_cast<double>(width) / height >= shape) return {};
    return Window{0, 0, static_cast<double>(width), static_cast<double>(height), true};
}

at::Tensor cut_out(const at::Tensor& pixels, const Window& window, int width, int height) {
    const auto x = static_cast<std::int64_t>(window.x), y = static_cast<std::int64_t>(window.y);
    const auto w = std::clamp<std::int64_t>(std::lround(window.width), 1, pixels.size(2) - x);
    const auto h = std::clamp<std::int64_t>(std::lround(window.height), 1, pixels.size(1) - y);
    const at::Tensor part = pixels.narrow(1, y, h).narrow(2, x, w).to(at::kFloat).unsqueeze(0);
    const Placement2D placement = placement_of(window, width, height);
    const std::int64_t inner =
        window.padded ? std::clamp<std::int64_t>(std::lround(window.width * placement.scale), 1, width) : width;
    const at::Tensor resized =
        at::_upsample_bicubic2d_aa(part, {height, inner}, /*align_corners=*/false)[0].clamp_(0.0, 255.0);
    const at::Tensor signal = resized / 127.5 - 1.0;
    if (!window.padded) return signal;
    const auto left = std::min(static_cast<std::int64_t>(placement.left), width - inner);
    return at::constant_pad_nd(signal, {left, width - inner - left, 0, 0}, -1.0);
}

FaceBox moved(const FaceBox& face, const Window& window, int width, int height) {
    const Placement2D placement = placement_of(window, width, height);
    const auto x = [&](double value) { return (value - window.x) * placement.scale + placement.left; };
    const auto y = [&](double value) { return (value - window.y) * placement.scale; };
    FaceBox result = face;
    result.x0 = x(face.x0);
    result.x1 = x(face.x1);
    result.y0 = y(face.y0);
    result.y1 = y(face.y1);
    for (Point& point : result.landmarks) point = {x(point.x), y(point.y)};
    return result;
}

}  // namespace mirror::engine::training
