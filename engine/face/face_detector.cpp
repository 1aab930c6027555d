#include "engine/face/face_detector.h"

#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/dlib_faces.h"
#include "engine/face/face_models.h"

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
    std::vector<FaceBox> detect(const Frame& picture) override {
        if (!models_) models_.emplace();
        std::vector<FaceBox> faces = models_->boxes(picture, 0.0);
        for (FaceBox& face : faces) face.landmarks = models_->landmarks(picture, face);
        return faces;
    }

private:
    std::optional<DlibFaces> models_;
};

double overlap(const FaceBox& a, const FaceBox& b) {
    const double width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
    const double height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
    if (width <= 0 || height <= 0) return 0;
    const double both = (a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0);
    return width * height / (both - width * height);
}

// Finds what the first detector's threshold hides: dim, blurred and slightly turned faces. Alone it would take any bright blob
// with two dark spots for a face.
class HaarDetector : public FaceDetector {
public:
    std::vector<FaceBox> detect(const Frame& picture) override {
        load();
        cv::Mat grey;
        cv::cvtColor(view(picture), grey, cv::COLOR_RGB2GRAY);
        cv::equalizeHist(grey, grey);
        std::vector<cv::Rect> found;
        cascade_.detectMultiScale(grey, found, 1.1, 4, 0, {60, 60});
        if (found.empty()) return {};
        std::vector<FaceBox> faces;
        for (const FaceBox& doubtful : models_->boxes(picture, doubtful_threshold)) {
            const bool agreed = std::any_of(found.begin(), found.end(), [&](const cv::Rect& r) {
                const FaceBox box{double(r.x), double(r.y), double(r.x + r.width), double(r.y + r.height), 0, {}};
                return overlap(box, doubtful) >= agreeing_overlap;
            });
            if (!agreed) continue;
            faces.push_back(doubtful);
            faces.back().landmarks = models_->landmarks(picture, doubtful);
        }
        return faces;
    }

private:
    static constexpr double doubtful_threshold = -0.5;
    static constexpr double agreeing_overlap = 0.4;

    void load() {
        if (models_) return;
        const std::filesystem::path file = find_haar_cascade();
        if (!cascade_.load(file.string()))
            throw EngineError(ErrorCode::MalformedFile,
                              "The face model " + path_for_message(file.filename()) + " is damaged; install it again.");
        models_.emplace();
    }

    cv::CascadeClassifier cascade_;
    std::optional<DlibFaces> models_;
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
        point = {(point.x - canvas.left + 0.5) / canvas.scale_x - 0.5, (point.y - canvas.top + 0.5) / canvas.scale_y - 0.5};
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
    const int long_side = std::max(picture.width, picture.height);
    if (long_side > canvases.front()) {
        std::vector<FaceBox> faces = detect_on(detector, picture, std::min(long_side, largest_canvas), false);
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
    detectors.push_back(std::make_unique<HogDetector>());
    detectors.push_back(std::make_unique<HaarDetector>());
    return detectors;
}

std::vector<FaceBox> find_faces(std::span<const std::unique_ptr<FaceDetector>> detectors, const Frame& picture) {
    for (const std::unique_ptr<FaceDetector>& detector : detectors) {
        std::vector<FaceBox> faces = climb(*detector, picture);
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
    std::stable_sort(faces.begin(), faces.end(),
                     [&](const FaceBox& a, const FaceBox& b) { return rank(a) > rank(b); });
}

}  // namespace mirror::face
