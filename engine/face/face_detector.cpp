#include "engine/face/face_detector.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/face/drawn_faces.h"
#include "engine/face/face_models.h"
#include "engine/face/scrfd_detector.h"
#include "engine/face/second_look.h"
#include "engine/face/yunet_detector.h"

namespace mirror::face {
namespace {

// Long sides, in the order in which they are tried. The detectors see faces of about 80 pixels and more.
constexpr int largest_canvas = 1280;
constexpr std::array<int, 7> canvases{640, 576, 512, 448, 384, 320, 256};
constexpr double margin = 0.25;  // Of the picture's size, on each side, in the last attempt.
constexpr int margin_grey = 128;

cv::Mat view(const Frame& frame) {
    return {frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data())};
}

Frame to_frame(const cv::Mat& picture) {
    Frame frame{picture.cols, picture.rows, {}};
    frame.rgb.resize(picture.total() * 3);
    picture.copyTo(view(frame));
    return frame;
}

class HogDetector : public FaceDetector {
public:
    explicit HogDetector(std::shared_ptr<SecondLook> look) : look_(std::move(look)) {}

    std::vector<FaceBox> detect(const Frame& picture) override {
        return look_->confirm(picture, look_->dlib().boxes(picture, doubtful_margin));
    }

private:
    static constexpr double doubtful_margin = -0.3;  // The second look decides.

    std::shared_ptr<SecondLook> look_;
};

// Proposes what the first detector does not see at any size: mostly blurred and dark faces.
class HaarDetector : public FaceDetector {
public:
    explicit HaarDetector(std::shared_ptr<SecondLook> look) : look_(std::move(look)) {}

    std::vector<FaceBox> detect(const Frame& picture) override {
        return look_->confirm(picture, look_->haar_boxes(picture, neighbours, smallest));
    }

private:
    static constexpr int neighbours = 3;
    static constexpr int smallest = 60;

    std::shared_ptr<SecondLook> look_;
};

// A picture at another size, perhaps with a margin, and the way back.
struct Canvas {
    Frame picture;
    double scale_x = 1;
    double scale_y = 1;
    int left = 0;
    int top = 0;
};

Canvas make_canvas(const Frame& picture, int long_side, bool with_margin) {
    const double scale = static_cast<double>(long_side) / std::max(picture.width, picture.height);
    const cv::Size size(std::max(1, static_cast<int>(std::lround(picture.width * scale))),
                        std::max(1, static_cast<int>(std::lround(picture.height * scale))));
    cv::Mat resized;
    cv::resize(view(picture), resized, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    Canvas canvas;
    canvas.scale_x = static_cast<double>(size.width) / picture.width;
    canvas.scale_y = static_cast<double>(size.height) / picture.height;
    if (with_margin) {
        canvas.left = static_cast<int>(std::lround(size.width * margin));
        canvas.top = static_cast<int>(std::lround(size.height * margin));
        cv::copyMakeBorder(resized, resized, canvas.top, canvas.top, canvas.left, canvas.left, cv::BORDER_CONSTANT,
                           cv::Scalar::all(margin_grey));
    }
    canvas.picture = to_frame(resized);
    return canvas;
}

// Edges lie between pixels, landmarks on their centres.
FaceBox back_to_picture(FaceBox face, const Canvas& canvas, const Frame& picture) {
    const auto edge = [](double value, int offset, double scale, int most) {
        return std::clamp((value - offset) / scale, 0.0, static_cast<double>(most));
    };
    face.x0 = edge(face.x0, canvas.left, canvas.scale_x, picture.width);
    face.x1 = edge(face.x1, canvas.left, canvas.scale_x, picture.width);
    face.y0 = edge(face.y0, canvas.top, canvas.scale_y, picture.height);
    face.y1 = edge(face.y1, canvas.top, canvas.scale_y, picture.height);
    for (Point& point : face.landmarks)
        point = {(point.x - canvas.left + 0.5) / canvas.scale_x - 0.5,
                 (point.y - canvas.top + 0.5) / canvas.scale_y - 0.5};
    return face;
}

std::vector<FaceBox> detect_on(FaceDetector& detector, const Frame& picture, int long_side, bool with_margin) {
    const Canvas canvas = make_canvas(picture, long_side, with_margin);
    std::vector<FaceBox> faces;
    for (const FaceBox& found : detector.detect(canvas.picture)) {
        const FaceBox face = back_to_picture(found, canvas, picture);
        if (face.x1 - face.x0 >= 1 && face.y1 - face.y0 >= 1) faces.push_back(face);
    }
    return faces;
}

std::vector<FaceBox> climb(FaceDetector& detector, const Frame& picture) {
    // First for the small faces of groups; small pictures are enlarged at most twice.
    const int first = std::min(largest_canvas, 2 * std::max(picture.width, picture.height));
    if (first > canvases.front()) {
        std::vector<FaceBox> faces = detect_on(detector, picture, first, false);
        if (!faces.empty()) return faces;
    }
    for (const int canvas : canvases) {
        std::vector<FaceBox> faces = detect_on(detector, picture, canvas, false);
        if (!faces.empty()) return faces;
    }
    return detect_on(detector, picture, canvases.front(), true);
}

}  // namespace

std::vector<std::unique_ptr<FaceDetector>> make_face_detectors() {
    std::vector<std::unique_ptr<FaceDetector>> detectors;
    detectors.push_back(std::make_unique<DrawnFaces>());
    const auto look = std::make_shared<SecondLook>();
    if (const auto network = find_detector_network()) {
        const auto place = [look](const Frame& picture, const FaceBox& face) {
            return look->dlib().landmarks(picture, face);
        };
        if (network->kind == NetworkKind::Yunet2022 || network->kind == NetworkKind::Yunet2023)
            detectors.push_back(std::make_unique<YunetDetector>(network->file));
        else
            detectors.push_back(std::make_unique<ScrfdDetector>(network->file, place));
        return detectors;
    }
    detectors.push_back(std::make_unique<HogDetector>(look));
    detectors.push_back(std::make_unique<HaarDetector>(look));
    return detectors;
}

std::vector<FaceBox> find_faces(std::span<const std::unique_ptr<FaceDetector>> detectors, const Frame& picture) {
    for (const std::unique_ptr<FaceDetector>& detector : detectors) {
        std::vector<FaceBox> faces = detector->chooses_sizes() ? detector->detect(picture) : climb(*detector, picture);
        if (faces.empty()) continue;
        rank_center_weighted(faces, picture.width, picture.height);
        return faces;
    }
    return {};
}

void rank_center_weighted(std::vector<FaceBox>& faces, int width, int height) {
    const auto rank = [&](const FaceBox& face) {
        const double dx = (face.x0 + face.x1) / 2 - width / 2;
        const double dy = (face.y0 + face.y1) / 2 - height / 2;
        return (face.x1 - face.x0) * (face.y1 - face.y0) - 2 * (dx * dx + dy * dy);
    };
    std::stable_sort(faces.begin(), faces.end(), [&](const FaceBox& a, const FaceBox& b) { return rank(a) > rank(b); });
}

}  // namespace mirror::face
