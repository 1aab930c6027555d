#include "engine/face/second_look.h"

#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/alignment.h"
#include "engine/face/face_models.h"

namespace mirror::face {

struct SecondLook::Models {
    DlibFaces dlib;
    cv::CascadeClassifier haar;
};

namespace {

// Of the face, in pixels; the detector's window has 80.
constexpr std::array<int, 3> face_sizes{90, 130, 200};
constexpr double lowest_margin = -1.0;
// Of 120 photographed faces two have less than the first; other things, such as badges and folds, reach the second.
constexpr double clear_margin = 0.6;
constexpr double least_margin = 0.3;
// What decides between the two: on faces the cascade's windows agree 40 times and more, elsewhere at most 5 times.
constexpr int haar_face_size = 100;
constexpr int haar_neighbours = 12;

constexpr std::size_t most_candidates = 100;

// A window of twice the face's size around it, the eyes level. An empty frame if the eyes coincide.
Frame level_window(const Frame& picture, const FaceBox& face, int face_size) {
    const double dx = face.landmarks[1].x - face.landmarks[0].x;
    const double dy = face.landmarks[1].y - face.landmarks[0].y;
    const double eyes = std::hypot(dx, dy);
    if (!(eyes > 0)) return {};
    const double scale = face_size / (face.x1 - face.x0);
    Similarity map{scale * dx / eyes, -scale * dy / eyes, 0, 0};
    const Point centre = map({(face.x0 + face.x1) / 2, (face.y0 + face.y1) / 2});
    map.tx = face_size - centre.x;
    map.ty = face_size - centre.y;
    return warp(picture, map, 2 * face_size, 2 * face_size);
}

bool is_in_the_middle(const FaceBox& seen, int face_size) {
    const double off = std::hypot((seen.x0 + seen.x1) / 2 - face_size, (seen.y0 + seen.y1) / 2 - face_size);
    const double growth = (seen.x1 - seen.x0) / face_size;
    return off < 0.3 * face_size && growth > 0.6 && growth < 1.6;
}

}  // namespace

SecondLook::SecondLook() = default;
SecondLook::~SecondLook() = default;

SecondLook::Models& SecondLook::models() {
    if (models_) return *models_;
    auto loaded = std::make_unique<Models>();
    const std::filesystem::path file = find_haar_cascade();
    if (!loaded->haar.load(file.string()))
        throw EngineError(ErrorCode::MalformedFile,
                          "The face model " + path_for_message(file.filename()) + " is damaged; install it again.");
    models_ = std::move(loaded);
    return *models_;
}

const DlibFaces& SecondLook::dlib() { return models().dlib; }

std::vector<FaceBox> SecondLook::haar_boxes(const Frame& picture, int neighbours, int smallest) {
    const cv::Mat rgb(picture.height, picture.width, CV_8UC3, const_cast<std::uint8_t*>(picture.rgb.data()));
    cv::Mat grey;
    cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
    cv::equalizeHist(grey, grey);
    std::vector<cv::Rect> found;
    models().haar.detectMultiScale(grey, found, 1.1, neighbours, 0, {smallest, smallest});
    std::vector<FaceBox> boxes;
    for (const cv::Rect& r : found)
        boxes.push_back({double(r.x), double(r.y), double(r.x + r.width), double(r.y + r.height), 0, {}});
    return boxes;
}

std::vector<FaceBox> SecondLook::confirm(const Frame& picture, std::vector<FaceBox> candidates) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const FaceBox& a, const FaceBox& b) { return a.score > b.score; });
    if (candidates.size() > most_candidates) candidates.resize(most_candidates);
    std::erase_if(candidates, [&](FaceBox& candidate) { return !is_face(picture, candidate); });
    return candidates;
}

bool SecondLook::is_face(const Frame& picture, FaceBox& candidate) {
    const DlibFaces& detector = dlib();
    candidate.landmarks = detector.landmarks(picture, candidate);
    double sum = 0;
    for (const int size : face_sizes) {
        const Frame window = level_window(picture, candidate, size);
        if (window.rgb.empty()) return false;
        double best = lowest_margin;
        for (const FaceBox& seen : detector.boxes(window, lowest_margin))
            if (is_in_the_middle(seen, size)) best = std::max(best, DlibFaces::margin_of(seen.score));
        sum += best;
    }
    const double margin = sum / static_cast<double>(face_sizes.size());
    candidate.score = DlibFaces::score_of(margin);
    if (margin >= clear_margin) return true;
    if (margin < least_margin) return false;
    const std::vector<FaceBox> agreed =
        haar_boxes(level_window(picture, candidate, haar_face_size), haar_neighbours, haar_face_size / 2);
    return std::any_of(agreed.begin(), agreed.end(),
                       [](const FaceBox& seen) { return is_in_the_middle(seen, haar_face_size); });
}

}  // namespace mirror::face
