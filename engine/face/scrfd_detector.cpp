#include "engine/face/scrfd_detector.h"

#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "engine/core/result.h"
#include "engine/core/utf8.h"

namespace mirror::face {
namespace {

constexpr int canvas_side = 640;
constexpr std::array<int, 7> picture_sides{640, 576, 512, 448, 384, 320, 256};
constexpr std::array<int, 5> strides{8, 16, 32, 64, 128};
constexpr int fewest_levels = 3;
constexpr int most_anchors = 2;  // Of one cell.
constexpr double least_score = 0.5;
constexpr double most_overlap = 0.4;
constexpr double margin = 0.25;  // Of the picture's size, on each side.
constexpr int margin_grey = 128;
constexpr int box_numbers = 4;
constexpr int landmark_numbers = 10;

// What the network says at one stride: a row for each anchor, anchors of a cell together, cells row by row.
struct Level {
    cv::Mat scores;
    cv::Mat boxes;      // Distances from the cell's corner to the left, top, right and bottom, in strides.
    cv::Mat landmarks;  // Five times x and y from that corner, in strides. Empty if the network has none.
};

cv::Mat view(const Frame& frame) {
    return {frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data())};
}

// Exports differ in a dimension of 1 in front, and in the order of the outputs: columns and rows tell what one is.
cv::Mat as_rows(const cv::Mat& output) {
    const int columns = output.dims > 0 ? output.size[output.dims - 1] : 0;
    if (columns <= 0 || output.type() != CV_32F) return {};
    const cv::Mat packed = output.isContinuous() ? output : output.clone();
    return packed.reshape(1, static_cast<int>(packed.total() / static_cast<std::size_t>(columns)));
}

// By falling number of rows, so by rising stride. Empty if the outputs are not those of such a detector.
std::vector<Level> sort_outputs(const std::vector<cv::Mat>& outputs) {
    std::map<int, Level, std::greater<>> by_rows;
    for (const cv::Mat& output : outputs) {
        const cv::Mat rows = as_rows(output);
        cv::Mat Level::*part = rows.cols == 1                  ? &Level::scores
                               : rows.cols == box_numbers      ? &Level::boxes
                               : rows.cols == landmark_numbers ? &Level::landmarks
                                                               : nullptr;
        if (part == nullptr || !(by_rows[rows.rows].*part).empty()) return {};
        by_rows[rows.rows].*part = rows;
    }
    std::vector<Level> levels;
    for (auto& [rows, level] : by_rows) levels.push_back(std::move(level));
    const bool known = levels.size() == fewest_levels || levels.size() == strides.size();
    for (std::size_t i = 0; known && i < levels.size(); ++i) {
        const int cells = (canvas_side / strides[i]) * (canvas_side / strides[i]);
        const int anchors = levels[i].scores.rows / cells;
        const bool fits = anchors >= 1 && anchors <= most_anchors && levels[i].scores.rows == anchors * cells &&
                          levels[i].boxes.rows == levels[i].scores.rows &&
                          levels[i].landmarks.empty() == levels[0].landmarks.empty();
        if (!fits) return {};
    }
    return known ? levels : std::vector<Level>{};
}

FaceBox decode(const Level& level, int row, int anchors, int stride) {
    const int across = canvas_side / stride;
    const int cell = row / anchors;
    const double x = static_cast<double>(cell % across) * stride;
    const double y = static_cast<double>(cell / across) * stride;
    const auto* box = level.boxes.ptr<float>(row);
    FaceBox face{x - box[0] * stride, y - box[1] * stride,         x + box[2] * stride,
                 y + box[3] * stride, level.scores.at<float>(row), {}};
    if (level.landmarks.empty()) return face;
    const auto* points = level.landmarks.ptr<float>(row);
    for (std::size_t i = 0; i < face.landmarks.size(); ++i)
        face.landmarks[i] = {x + points[2 * i] * stride, y + points[2 * i + 1] * stride};
    return face;
}

bool is_finite(const FaceBox& face) {
    double sum = face.x0 + face.y0 + face.x1 + face.y1;
    for (const Point& point : face.landmarks) sum += point.x + point.y;
    return std::isfinite(sum);
}

// In pixels of the canvas.
std::vector<FaceBox> decode_all(const std::vector<Level>& levels) {
    std::vector<FaceBox> faces;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const Level& level = levels[i];
        const int across = canvas_side / strides[i];
        const int anchors = level.scores.rows / (across * across);
        for (int row = 0; row < level.scores.rows; ++row) {
            if (!(level.scores.at<float>(row) >= least_score)) continue;
            const FaceBox face = decode(level, row, anchors, strides[i]);
            if (is_finite(face)) faces.push_back(face);
        }
    }
    return faces;
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

double overlap(const FaceBox& a, const FaceBox& b) {
    const auto area = [](const FaceBox& box) { return (box.x1 - box.x0 + 1) * (box.y1 - box.y0 + 1); };
    const double width = std::max(0.0, std::min(a.x1, b.x1) - std::max(a.x0, b.x0) + 1);
    const double height = std::max(0.0, std::min(a.y1, b.y1) - std::max(a.y0, b.y0) + 1);
    return width * height / (area(a) + area(b) - width * height);
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
    throw EngineError(ErrorCode::MalformedFile, "The face detector " + path_for_message(file.filename()) + " " + what);
}

}  // namespace

struct ScrfdDetector::Network {
    cv::dnn::Net net;
    std::vector<cv::String> outputs;
};

ScrfdDetector::ScrfdDetector(std::filesystem::path network, PlaceLandmarks place_landmarks)
    : file_(std::move(network)), place_landmarks_(std::move(place_landmarks)) {}

ScrfdDetector::~ScrfdDetector() = default;

ScrfdDetector::Network& ScrfdDetector::network() {
    if (network_) return *network_;
    auto loaded = std::make_unique<Network>();
    try {
        loaded->net = cv::dnn::readNetFromONNX(file_.string());
        loaded->outputs = loaded->net.getUnconnectedOutLayersNames();
    } catch (const cv::Exception&) {
        refuse(file_, "is no ONNX network that can be read.");
    }
    network_ = std::move(loaded);
    return *network_;
}

std::vector<FaceBox> ScrfdDetector::detect_at(const Frame& picture, int side) {
    const cv::Size size = fitted_size(picture, side);
    cv::Mat canvas(canvas_side, canvas_side, CV_8UC3, cv::Scalar::all(0));
    cv::Mat resized;
    cv::resize(view(picture), resized, size, 0, 0, cv::INTER_LINEAR);
    resized.copyTo(canvas(cv::Rect({0, 0}, size)));
    std::vector<cv::Mat> outputs;
    try {
        Network& loaded = network();
        loaded.net.setInput(cv::dnn::blobFromImage(canvas, 1.0 / 128, {}, cv::Scalar::all(127.5), false));
        loaded.net.forward(outputs, loaded.outputs);
    } catch (const cv::Exception&) {
        refuse(file_, "cannot be run on pictures of 640 x 640.");
    }
    const std::vector<Level> levels = sort_outputs(outputs);
    if (levels.empty())
        refuse(file_, "does not put out what SCRFD does: scores, boxes and landmarks at 3 or 5 strides.");
    std::vector<FaceBox> faces;
    for (const FaceBox& found : decode_all(levels))
        faces.push_back(scaled(found, static_cast<double>(size.height) / picture.height));
    faces = keep_best(std::move(faces), most_overlap);
    std::erase_if(faces, [&](FaceBox& face) { return !clip(face, picture); });
    if (levels[0].landmarks.empty())
        for (FaceBox& face : faces) face.landmarks = place_landmarks_(picture, face);
    return faces;
}

std::vector<FaceBox> ScrfdDetector::detect_with_margin(const Frame& picture) {
    const int left = static_cast<int>(std::lround(picture.width * margin));
    const int top = static_cast<int>(std::lround(picture.height * margin));
    Frame larger{picture.width + 2 * left, picture.height + 2 * top, {}};
    larger.rgb.assign(static_cast<std::size_t>(larger.width) * static_cast<std::size_t>(larger.height) * 3,
                      margin_grey);
    view(picture).copyTo(view(larger)(cv::Rect(left, top, picture.width, picture.height)));
    std::vector<FaceBox> faces = detect_at(larger, canvas_side);
    for (FaceBox& face : faces) {
        face.x0 -= left, face.x1 -= left, face.y0 -= top, face.y1 -= top;
        for (Point& point : face.landmarks) point = {point.x - left, point.y - top};
    }
    std::erase_if(faces, [&](FaceBox& face) { return !clip(face, picture); });
    return faces;
}

std::vector<FaceBox> ScrfdDetector::detect(const Frame& picture) {
    for (const int side : picture_sides) {
        std::vector<FaceBox> faces = detect_at(picture, side);
        if (!faces.empty()) return faces;
    }
    return detect_with_margin(picture);
}

std::vector<FaceBox> keep_best(std::vector<FaceBox> faces, double most) {
    std::stable_sort(faces.begin(), faces.end(), [](const FaceBox& a, const FaceBox& b) { return a.score > b.score; });
    std::vector<FaceBox> best;
    for (const FaceBox& face : faces) {
        const bool is_new =
            std::none_of(best.begin(), best.end(), [&](const FaceBox& other) { return overlap(face, other) > most; });
        if (is_new) best.push_back(face);
    }
    return best;
}

}  // namespace mirror::face
