#include "engine/face/drawn_faces.h"

// As in dlib_faces.cpp: dlib's own algebra; the first two headers bring dlib's configuration.
#include <dlib/assert.h>
#include <dlib/test_for_odr_violations.h>
#undef DLIB_USE_BLAS
#undef DLIB_USE_LAPACK
#include <dlib/image_processing/object_detector.h>
#include <dlib/image_processing/scan_fhog_pyramid.h>
#include <dlib/image_processing/shape_predictor.h>
#include <dlib/serialize.h>

#include <algorithm>
#include <array>
#include <istream>
#include <mutex>
#include <opencv2/imgproc.hpp>
#include <streambuf>

// The assembler puts the file in as it is: nothing to find when the program runs.
asm(".section .rodata\n"
    ".global mirror_drawn_faces_begin\n.hidden mirror_drawn_faces_begin\n"
    ".global mirror_drawn_faces_end\n.hidden mirror_drawn_faces_end\n"
    "mirror_drawn_faces_begin:\n.incbin \"" MIRROR_DRAWN_FACES
    "\"\n"
    "mirror_drawn_faces_end:\n.previous\n");
extern "C" const char mirror_drawn_faces_begin[];
extern "C" const char mirror_drawn_faces_end[];

namespace mirror::face {

namespace {

using Picture = dlib::array2d<unsigned char>;
using Detector = dlib::object_detector<dlib::scan_fhog_pyramid<dlib::pyramid_down<6>>>;

// Long sides of the picture. The first is the one that the models were made at.
constexpr std::array<int, 2> sides{192, 256};
// Drawn faces reach 1 and more, blurred ones 0.5; what is found in photographs stays below 0.2.
constexpr double least_margin = 0.4;
constexpr double least_share = 0.3;  // Of the picture's short side.

class EmbeddedBytes : public std::streambuf {
public:
    EmbeddedBytes() {
        char* begin = const_cast<char*>(mirror_drawn_faces_begin);  // Only read: there is no overflow().
        setg(begin, begin, const_cast<char*>(mirror_drawn_faces_end));
    }
};

// The picture in grey, its long side so many pixels.
Picture scaled(const Frame& picture, int side) {
    const double scale = static_cast<double>(side) / std::max(picture.width, picture.height);
    const cv::Mat rgb(picture.height, picture.width, CV_8UC3, const_cast<std::uint8_t*>(picture.rgb.data()));
    cv::Mat grey;
    const cv::Size size(std::max(1, static_cast<int>(std::lround(picture.width * scale))),
                        std::max(1, static_cast<int>(std::lround(picture.height * scale))));
    cv::resize(rgb, grey, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    cv::cvtColor(grey, grey, cv::COLOR_RGB2GRAY);
    Picture image(grey.rows, grey.cols);
    for (int y = 0; y < grey.rows; ++y) std::copy_n(grey.ptr<unsigned char>(y), grey.cols, &image[y][0]);
    return image;
}

}  // namespace

struct DrawnFaces::Models {
    Detector detector;
    dlib::shape_predictor predictor;
};

namespace {

// Five landmarks, the upper left and the lower right corner of the box, in pixels of the scaled picture.
FaceBox face_of(const dlib::full_object_detection& shape, double score, const Frame& picture, int side) {
    const double scale = static_cast<double>(side) / std::max(picture.width, picture.height);
    const auto part = [&](unsigned long index) {
        return Point{static_cast<double>(shape.part(index).x()), static_cast<double>(shape.part(index).y())};
    };
    FaceBox face;
    for (unsigned long i = 0; i < face.landmarks.size(); ++i)
        face.landmarks[i] = {(part(i).x + 0.5) / scale - 0.5, (part(i).y + 0.5) / scale - 0.5};
    face.x0 = std::clamp(part(5).x / scale, 0.0, static_cast<double>(picture.width));
    face.y0 = std::clamp(part(5).y / scale, 0.0, static_cast<double>(picture.height));
    face.x1 = std::clamp(part(6).x / scale, 0.0, static_cast<double>(picture.width));
    face.y1 = std::clamp(part(6).y / scale, 0.0, static_cast<double>(picture.height));
    face.score = score;
    face.drawn = true;
    return face;
}

}  // namespace

DrawnFaces::DrawnFaces() = default;
DrawnFaces::~DrawnFaces() = default;

// Shared by every reader that is alive.
std::shared_ptr<const DrawnFaces::Models> DrawnFaces::load() {
    static std::mutex mutex;
    static std::weak_ptr<const Models> shared;
    const std::lock_guard lock(mutex);
    if (auto loaded = shared.lock()) return loaded;
    auto models = std::make_shared<Models>();
    EmbeddedBytes bytes;
    std::istream stream(&bytes);
    dlib::deserialize(models->detector, stream);
    dlib::deserialize(models->predictor, stream);
    shared = models;
    return models;
}

std::vector<FaceBox> DrawnFaces::detect(const Frame& picture) {
    if (!models_) models_ = load();
    Detector detector = models_->detector;  // It keeps the picture's features: not shareable.
    for (const int side : sides) {
        const Picture image = scaled(picture, side);
        std::vector<dlib::rect_detection> found;  // The clearest first.
        detector(image, found, least_margin);
        if (found.empty()) continue;
        const double share = static_cast<double>(found.front().rect.width()) / std::min(image.nr(), image.nc());
        if (share < least_share) continue;
        const double score = 0.5 + 0.5 * std::tanh(found.front().detection_confidence);
        const FaceBox face = face_of(models_->predictor(image, found.front().rect), score, picture, side);
        if (face.x1 - face.x0 >= 1 && face.y1 - face.y0 >= 1) return {face};
    }
    return {};
}

}  // namespace mirror::face
