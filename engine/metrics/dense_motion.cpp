#include "engine/metrics/dense_motion.h"

#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

#include <algorithm>
#include <cmath>

#include "engine/core/result.h"

namespace mirror::metrics {

namespace {

constexpr int kFaceSide = 112;
constexpr double kEnlarge = 1.2;
constexpr double kThinnedRate = 8.0;
constexpr int kSmallestSide = 16;

cv::Mat view(const Frame& frame) {
    return {frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data())};
}

// The region of a frame, parts outside of it repeated from its edge, at the size of a face.
Frame cut_face(const Frame& frame, const FaceBox& region) {
    const double scale_x = (region.x1 - region.x0) / kFaceSide, scale_y = (region.y1 - region.y0) / kFaceSide;
    const cv::Matx23d from{scale_x, 0, region.x0 + scale_x / 2 - 0.5, 0, scale_y, region.y0 + scale_y / 2 - 0.5};
    Frame face{kFaceSide, kFaceSide, std::vector<std::uint8_t>(std::size_t{kFaceSide} * kFaceSide * 3)};
    cv::Mat target = view(face);
    cv::warpAffine(view(frame), target, from, target.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                   cv::BORDER_REPLICATE);
    return face;
}

}  // namespace

struct FlowSteps::Before {
    cv::Mat grey;
};

FlowSteps::FlowSteps() : before_(std::make_unique<Before>()) {}
FlowSteps::~FlowSteps() = default;
FlowSteps::FlowSteps(FlowSteps&&) noexcept = default;
FlowSteps& FlowSteps::operator=(FlowSteps&&) noexcept = default;

std::optional<std::vector<float>> FlowSteps::add(const Frame& frame) {
    if (std::min(frame.width, frame.height) < kSmallestSide)
        throw EngineError(ErrorCode::InvalidRequest, "The frames are smaller than 16 pixels, too small for motion.");
    cv::Mat grey;
    cv::cvtColor(view(frame), grey, cv::COLOR_RGB2GRAY);
    std::optional<std::vector<float>> speeds;
    if (!before_->grey.empty()) {
        cv::Mat flow;
        cv::calcOpticalFlowFarneback(before_->grey, grey, flow, 0.5, 3, 15, 3, 5, 1.2, 0);
        speeds.emplace();
        speeds->reserve(flow.total());
        for (int y = 0; y < flow.rows; ++y) {
            const auto* row = flow.ptr<cv::Vec2f>(y);
            for (int x = 0; x < flow.cols; ++x) speeds->push_back(std::hypot(row[x][0], row[x][1]));
        }
    }
    before_->grey = grey;
    return speeds;
}

std::optional<FaceBox> face_region(const ObservedClip& clip) {
    std::optional<FaceBox> region;
    for (const ObservedFrame& frame : clip.frames) {
        if (!frame.face) continue;
        const FaceBox& box = frame.face->box;
        if (!region) region = box;
        region->x0 = std::min(region->x0, box.x0);
        region->y0 = std::min(region->y0, box.y0);
        region->x1 = std::max(region->x1, box.x1);
        region->y1 = std::max(region->y1, box.y1);
    }
    if (!region) return region;
    const double more_x = (region->x1 - region->x0) * (kEnlarge - 1) / 2;
    const double more_y = (region->y1 - region->y0) * (kEnlarge - 1) / 2;
    return FaceBox{region->x0 - more_x, region->y0 - more_y, region->x1 + more_x, region->y1 + more_y, 0, {}};
}

void FaceFlow::add(const Frame& frame) {
    const auto speeds = steps_.add(cut_face(frame, region_));
    if (!speeds) return;
    double sum = 0;
    for (const float speed : *speeds) sum += speed;
    sum_ += sum / static_cast<double>(speeds->size());
    ++pairs_;
}

std::optional<double> FaceFlow::mean() const {
    if (pairs_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(pairs_);
}

double mean_of_fastest(std::vector<float> speeds) {
    const std::size_t count = std::max<std::size_t>(1, speeds.size() / 20);
    if (speeds.empty()) return 0;
    std::nth_element(speeds.begin(), speeds.begin() + static_cast<std::ptrdiff_t>(count - 1), speeds.end(),
                     [](float a, float b) { return a > b; });
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += speeds[i];
    return sum / static_cast<double>(count);
}

DynamicDegree::DynamicDegree(double frames_per_second)
    : interval_(std::max<std::int64_t>(1, std::llround(frames_per_second / kThinnedRate))) {}

void DynamicDegree::add(const Frame& frame) {
    if (seen_++ % interval_ != 0) return;
    ++score_.frames;
    auto speeds = steps_.add(frame);
    if (!speeds) return;
    const double shorter = std::min(frame.width, frame.height);
    const double speed = mean_of_fastest(std::move(*speeds)) * 256.0 / shorter;
    if (speed > 6.0) ++score_.moving_pairs;
    const auto pairs = static_cast<double>(score_.frames - 1);
    score_.speed += (speed - score_.speed) / pairs;
}

DynamicScore DynamicDegree::score() const {
    DynamicScore score = score_;
    const auto needed = std::llround(4.0 * static_cast<double>(score.frames) / 16.0);
    score.dynamic = score.frames > 1 && score.moving_pairs >= std::max<std::int64_t>(1, needed);
    return score;
}

}  // namespace mirror::metrics
