// Teaches the finder of drawn faces (engine/face/drawn_faces.h) on pictures that are drawn here, and says how well it
// does on people that it has not seen.
//
//   mirror_train_drawn_faces resources/faces/drawn.dat
//
// Deterministic; about five minutes on one core.

// dlib's own algebra, as in engine/face/dlib_faces.cpp; the first two headers bring dlib's configuration.
#include <dlib/assert.h>
#include <dlib/test_for_odr_violations.h>
#undef DLIB_USE_BLAS
#undef DLIB_USE_LAPACK
#include <dlib/image_processing.h>
#include <dlib/svm_threaded.h>

#include <cmath>
#include <iostream>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/training/people/people.h"

namespace {

using namespace mirror;
using namespace mirror::people;

using Picture = dlib::array2d<unsigned char>;
using Detector = dlib::object_detector<dlib::scan_fhog_pyramid<dlib::pyramid_down<6>>>;
using Scanner = dlib::scan_fhog_pyramid<dlib::pyramid_down<6>>;

constexpr int kSide = 192;  // Of every picture: what the finder scales its pictures to.
constexpr int kDetectorPictures = 300;
constexpr int kShapePictures = 5000;
constexpr int kHeldOut = 300;

struct Sample {
    Picture picture;
    FaceBox face;  // In its pixels.
};

// Half are drawn small and enlarged, as the frames of clips are; half of them all are blurred besides.
Sample drawn_sample(Split split, std::uint64_t seed) {
    constexpr int kSizes[]{96, kSide};
    const int size = kSizes[seed % 2];
    SceneOptions options;
    options.frames = 1;
    options.width = options.height = size;
    options.combinations = Combinations::Any;
    options.other_style_share = 0.5;
    SceneRequest scene = random_scene(seed, split, options);
    if (seed % 4 == 3) scene = reference_portrait(scene.identity.seed, seed, size);
    const RenderedClip clip = render(scene);

    cv::Mat picture(size, size, CV_8UC3, const_cast<std::uint8_t*>(clip.frame(0)));
    cv::resize(picture, picture, {kSide, kSide}, 0, 0, cv::INTER_LINEAR);
    if (seed % 8 >= 4) cv::GaussianBlur(picture, picture, {0, 0}, 0.5 + 0.5 * static_cast<double>(seed % 7));
    cv::Mat grey;
    cv::cvtColor(picture, grey, cv::COLOR_RGB2GRAY);

    Sample sample{Picture(kSide, kSide), clip.faces[0].face};
    for (int y = 0; y < kSide; ++y)
        for (int x = 0; x < kSide; ++x) sample.picture[y][x] = grey.at<unsigned char>(y, x);
    const double scale = static_cast<double>(kSide) / size;
    for (double* edge : {&sample.face.x0, &sample.face.y0, &sample.face.x1, &sample.face.y1}) *edge *= scale;
    for (Point& point : sample.face.landmarks) point = {(point.x + 0.5) * scale - 0.5, (point.y + 0.5) * scale - 0.5};
    return sample;
}

dlib::rectangle square_around(const FaceBox& face) {
    const double half = std::max(face.x1 - face.x0, face.y1 - face.y0) / 2;
    const double x = (face.x0 + face.x1) / 2, y = (face.y0 + face.y1) / 2;
    return {std::lround(x - half), std::lround(y - half), std::lround(x + half), std::lround(y + half)};
}

Detector train_detector() {
    dlib::array<Picture> pictures(kDetectorPictures);
    std::vector<std::vector<dlib::rectangle>> boxes;
    for (int i = 0; i < kDetectorPictures; ++i) {
        Sample sample = drawn_sample(Split::Train, static_cast<std::uint64_t>(i));
        boxes.push_back({square_around(sample.face)});
        pictures[static_cast<std::size_t>(i)].swap(sample.picture);
    }
    Scanner scanner;
    scanner.set_detection_window_size(80, 80);
    dlib::structural_object_detection_trainer<Scanner> trainer(scanner);
    trainer.set_num_threads(1);
    trainer.set_c(2);
    trainer.set_epsilon(0.05);
    return dlib::threshold_filter_singular_values(trainer.train(pictures, boxes), 0.1);
}

// Five landmarks, then two corners of the box: what the shape predictor places.
std::vector<dlib::point> parts_of(const FaceBox& face) {
    std::vector<dlib::point> parts;
    for (const Point& point : face.landmarks) parts.emplace_back(std::lround(point.x), std::lround(point.y));
    parts.emplace_back(std::lround(face.x0), std::lround(face.y0));
    parts.emplace_back(std::lround(face.x1), std::lround(face.y1));
    return parts;
}

// Best find in the picture, or where it should have been.
dlib::rectangle found_or_true(Detector& detector, const Sample& sample) {
    std::vector<dlib::rect_detection> found;
    detector(sample.picture, found, -0.5);
    return found.empty() ? square_around(sample.face) : found.front().rect;
}

dlib::shape_predictor train_shapes(Detector& detector) {
    dlib::array<Picture> pictures(kShapePictures);
    std::vector<std::vector<dlib::full_object_detection>> shapes;
    for (int i = 0; i < kShapePictures; ++i) {
        Sample sample = drawn_sample(Split::Train, 10'000 + static_cast<std::uint64_t>(i));
        const dlib::rectangle box = found_or_true(detector, sample);
        shapes.push_back({dlib::full_object_detection(box, parts_of(sample.face))});
        pictures[static_cast<std::size_t>(i)].swap(sample.picture);
    }
    dlib::shape_predictor_trainer trainer;
    trainer.set_cascade_depth(10);
    trainer.set_num_trees_per_cascade_level(120);
    trainer.set_tree_depth(4);
    trainer.set_nu(0.1);
    trainer.set_oversampling_amount(4);
    trainer.set_oversampling_translation_jitter(0.05);
    trainer.set_feature_pool_size(400);
    trainer.set_num_test_splits(20);
    trainer.set_num_threads(1);
    return trainer.train(pictures, shapes);
}

// Mean distance of the landmarks and of the box's corners, in distances between the eyes.
struct Errors {
    double landmarks = 0, corners = 0;
};

Errors errors_of(const dlib::full_object_detection& shape, const FaceBox& face) {
    const auto& eyes = face.landmarks;
    const double unit = std::hypot(eyes[1].x - eyes[0].x, eyes[1].y - eyes[0].y);
    const auto off = [&](unsigned long part, Point truth) {
        return std::hypot(static_cast<double>(shape.part(part).x()) - truth.x,
                          static_cast<double>(shape.part(part).y()) - truth.y) /
               unit;
    };
    Errors errors;
    for (unsigned long i = 0; i < 5; ++i) errors.landmarks += off(i, eyes[i]) / 5;
    errors.corners = (off(5, {face.x0, face.y0}) + off(6, {face.x1, face.y1})) / 2;
    return errors;
}

void report(Detector& detector, const dlib::shape_predictor& predictor) {
    int found_faces = 0, others = 0;
    Errors sum;
    double least = 10;
    for (int i = 0; i < kHeldOut; ++i) {
        const Sample sample = drawn_sample(Split::Validation, 50'000 + static_cast<std::uint64_t>(i));
        std::vector<dlib::rect_detection> found;
        detector(sample.picture, found, 0);
        if (found.empty()) continue;
        others += static_cast<int>(found.size()) - 1;
        const Errors errors = errors_of(predictor(sample.picture, found.front().rect), sample.face);
        if (errors.landmarks > 0.5) continue;
        ++found_faces;
        least = std::min(least, found.front().detection_confidence);
        sum.landmarks += errors.landmarks;
        sum.corners += errors.corners;
    }
    std::cout << "held-out pictures " << kHeldOut << ", faces found " << found_faces << ", other finds " << others
              << ", least margin " << least << "\nmean error in eye distances: landmarks "
              << sum.landmarks / found_faces << ", corners of the box " << sum.corners / found_faces << '\n';
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::cerr << "usage: mirror_train_drawn_faces OUT.dat\n";
        return 2;
    }
    Detector detector = train_detector();
    std::cout << "detector: " << detector.get_w().size() << " weights\n" << std::flush;
    const dlib::shape_predictor predictor = train_shapes(detector);
    report(detector, predictor);
    std::ostringstream bytes;
    dlib::serialize(detector, bytes);
    dlib::serialize(predictor, bytes);
    const Status written = durable_replace(arguments[1], bytes.str());
    if (!written) std::cerr << written.error().detail << '\n';
    return written ? 0 : 1;
}
