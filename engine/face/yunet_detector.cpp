#include "engine/face/yunet_detector.h"

#include <opencv2/dnn.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "engine/core/result.h"
#include "engine/face/onnx_network.h"

namespace mirror::face {
namespace {

// OpenCV's own values for this network.
constexpr double least_score = 0.9;
constexpr OverlapRule overlap_rule{0.3, 0};

constexpr int box_numbers = 4;
constexpr int landmark_numbers = 10;

using Outputs = std::map<std::string, cv::Mat>;

// Empty unless it has this shape.
cv::Mat table(const Outputs& outputs, const std::string& name, int rows, int columns) {
    const auto found = outputs.find(name);
    const bool fits = found != outputs.end() && found->second.rows == rows && found->second.cols == columns;
    return fits ? found->second : cv::Mat();
}

double joint_score(float first, float second) {
    return std::sqrt(std::clamp(static_cast<double>(first), 0.0, 1.0) *
                     std::clamp(static_cast<double>(second), 0.0, 1.0));
}

FaceBox around(const Point& centre, double width, double height, double score) {
    return {centre.x - width / 2, centre.y - height / 2, centre.x + width / 2, centre.y + height / 2, score, {}};
}

// Where the network of 2022 looks for a face: the middle of a cell, and one of the sizes of its stride.
struct Prior {
    double x;
    double y;
    double size;
};

struct PriorLevel {
    int stride;
    std::vector<double> sizes;
};

const std::vector<Prior>& priors() {
    static const std::vector<Prior> all = [] {
        const std::array<PriorLevel, 4> levels{PriorLevel{8, {10, 16, 24}}, PriorLevel{16, {32, 48}},
                                               PriorLevel{32, {64, 96}}, PriorLevel{64, {128, 192, 256}}};
        std::vector<Prior> made;
        for (const PriorLevel& level : levels) {
            const int cells = canvas_side / level.stride;
            for (int cell = 0; cell < cells * cells; ++cell)
                for (const double size : level.sizes)
                    made.push_back({(cell % cells + 0.5) * level.stride, (cell / cells + 0.5) * level.stride, size});
        }
        return made;
    }();
    return all;
}

// Offsets are in tenths of the prior's size; the height's logarithm counts twice as much as the width's, as published.
FaceBox decode_prior(const Prior& prior, const float* numbers, double score) {
    constexpr double offset = 0.1;
    constexpr double width_variance = 0.1;
    constexpr double height_variance = 0.2;
    const auto point = [&](const float* at) {
        return Point{prior.x + at[0] * offset * prior.size, prior.y + at[1] * offset * prior.size};
    };
    FaceBox face = around(point(numbers), prior.size * std::exp(numbers[2] * width_variance),
                          prior.size * std::exp(numbers[3] * height_variance), score);
    for (std::size_t i = 0; i < face.landmarks.size(); ++i)
        face.landmarks[i] = point(numbers + box_numbers + 2 * static_cast<std::ptrdiff_t>(i));
    return face;
}

bool decode_2022(const Outputs& outputs, std::vector<FaceBox>& faces) {
    const int count = static_cast<int>(priors().size());
    const cv::Mat places = table(outputs, "loc", count, box_numbers + landmark_numbers);
    const cv::Mat classes = table(outputs, "conf", count, 2);
    const cv::Mat qualities = table(outputs, "iou", count, 1);
    if (places.empty() || classes.empty() || qualities.empty()) return false;
    for (int row = 0; row < count; ++row) {
        const double score = joint_score(classes.at<float>(row, 1), qualities.at<float>(row, 0));
        if (score >= least_score)
            faces.push_back(decode_prior(priors()[static_cast<std::size_t>(row)], places.ptr<float>(row), score));
    }
    return true;
}

bool decode_2023(const Outputs& outputs, std::vector<FaceBox>& faces) {
    for (const int stride : {8, 16, 32}) {
        const int across = canvas_side / stride;
        const int cells = across * across;
        const std::string level = std::to_string(stride);
        const cv::Mat classes = table(outputs, "cls_" + level, cells, 1);
        const cv::Mat objects = table(outputs, "obj_" + level, cells, 1);
        const cv::Mat boxes = table(outputs, "bbox_" + level, cells, box_numbers);
        const cv::Mat points = table(outputs, "kps_" + level, cells, landmark_numbers);
        if (classes.empty() || objects.empty() || boxes.empty() || points.empty()) return false;
        for (int cell = 0; cell < cells; ++cell) {
            const double score = joint_score(classes.at<float>(cell), objects.at<float>(cell));
            if (!(score >= least_score)) continue;
            const auto place = [&](const float* at) {
                return Point{(cell % across + static_cast<double>(at[0])) * stride,
                             (cell / across + static_cast<double>(at[1])) * stride};
            };
            const auto* box = boxes.ptr<float>(cell);
            FaceBox face = around(place(box), std::exp(box[2]) * stride, std::exp(box[3]) * stride, score);
            for (std::size_t i = 0; i < face.landmarks.size(); ++i)
                face.landmarks[i] = place(points.ptr<float>(cell) + 2 * i);
            faces.push_back(face);
        }
    }
    return true;
}

}  // namespace

YunetDetector::YunetDetector(std::filesystem::path network) : CanvasDetector(overlap_rule), file_(std::move(network)) {}

YunetDetector::~YunetDetector() = default;

std::vector<FaceBox> YunetDetector::detect_on(const Frame& canvas) {
    if (!network_) network_ = std::make_unique<OnnxNetwork>(file_, "The face detector", canvas_side);
    const cv::Mat picture(canvas.height, canvas.width, CV_8UC3, const_cast<std::uint8_t*>(canvas.rgb.data()));
    constexpr bool blue_first = true;
    Outputs outputs;
    for (NetworkOutput& output : network_->run(cv::dnn::blobFromImage(picture, 1, {}, {}, blue_first)))
        outputs.emplace(output.name, output.rows);
    std::vector<FaceBox> faces;
    const bool known =
        network_->kind() == NetworkKind::Yunet2022 ? decode_2022(outputs, faces) : decode_2023(outputs, faces);
    if (!known) network_->refuse("does not put out what YuNet does: scores, boxes and landmarks at every stride.");
    std::erase_if(faces, [](const FaceBox& face) { return !is_finite(face); });
    return faces;
}

}  // namespace mirror::face
