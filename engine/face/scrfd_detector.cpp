#include "engine/face/scrfd_detector.h"

#include <opencv2/dnn.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "engine/core/result.h"
#include "engine/face/onnx_network.h"

namespace mirror::face {
namespace {

constexpr std::array<int, 5> strides{8, 16, 32, 64, 128};
constexpr int fewest_levels = 3;
constexpr int most_anchors = 2;  // Of one cell.
constexpr double least_score = 0.5;
// As in insightface: a box from 0 to 3 is 4 wide.
constexpr OverlapRule overlap_rule{0.4, 1};
constexpr int box_numbers = 4;
constexpr int landmark_numbers = 10;

// What the network says at one stride: a row for each anchor, anchors of a cell together, cells row by row.
struct Level {
    cv::Mat scores;
    cv::Mat boxes;      // Distances from the cell's corner to the left, top, right and bottom, in strides.
    cv::Mat landmarks;  // Five times x and y from that corner, in strides. Empty if the network has none.
};

// Exports differ in the order of the outputs: columns and rows tell what one is. By falling number of rows, so by
// rising stride. Empty if the outputs are not those of such a detector.
std::vector<Level> sort_outputs(const std::vector<NetworkOutput>& outputs) {
    std::map<int, Level, std::greater<>> by_rows;
    for (const NetworkOutput& output : outputs) {
        const cv::Mat& rows = output.rows;
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

}  // namespace

ScrfdDetector::ScrfdDetector(std::filesystem::path network, PlaceLandmarks place_landmarks)
    : CanvasDetector(overlap_rule), file_(std::move(network)), place_landmarks_(std::move(place_landmarks)) {}

ScrfdDetector::~ScrfdDetector() = default;

std::vector<FaceBox> ScrfdDetector::detect_on(const Frame& canvas) {
    if (!network_) network_ = std::make_unique<OnnxNetwork>(file_, "The face detector", canvas_side);
    const cv::Mat picture(canvas.height, canvas.width, CV_8UC3, const_cast<std::uint8_t*>(canvas.rgb.data()));
    const std::vector<Level> levels =
        sort_outputs(network_->run(cv::dnn::blobFromImage(picture, 1.0 / 128, {}, cv::Scalar::all(127.5), false)));
    if (levels.empty())
        network_->refuse("does not put out what SCRFD does: scores, boxes and landmarks at 3 or 5 strides.");
    has_landmarks_ = !levels[0].landmarks.empty();
    return decode_all(levels);
}

void ScrfdDetector::complete(const Frame& picture, std::vector<FaceBox>& faces) {
    if (has_landmarks_) return;
    for (FaceBox& face : faces) face.landmarks = place_landmarks_(picture, face);
}

}  // namespace mirror::face
