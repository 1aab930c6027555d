// The finder of drawn faces: on people that it was not made with, in every style, small, blurred and as JPEG; and not
// on photographs. A model of drawn people tells photographs by it.

#include "engine/face/drawn_faces.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "engine/face/face_reader.h"
#include "engine/training/people/people.h"
#include "tests/support/scratch_folder.h"

namespace mirror::face {
namespace {

using namespace people;

struct Drawn {
    Frame picture;
    FaceBox face;
};

Drawn draw(SceneRequest scene) {
    scene.frames = 1;
    const RenderedClip clip = render(scene);
    return {{clip.width, clip.height, clip.rgb}, clip.faces[0].face};
}

Drawn person(std::uint64_t number, int size, Style style = Style::Cartoon) {
    SceneOptions options;
    options.frames = 1;
    options.width = options.height = size;
    SceneRequest scene = random_scene(number, Split::Test, options);
    scene.style = style;
    return draw(scene);
}

cv::Mat bgr(const Frame& frame) {
    cv::Mat picture;
    cv::cvtColor(cv::Mat(frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data())), picture,
                 cv::COLOR_RGB2BGR);
    return picture;
}

Frame frame_of(const cv::Mat& picture) {
    cv::Mat rgb;
    cv::cvtColor(picture, rgb, cv::COLOR_BGR2RGB);
    return {rgb.cols, rgb.rows, {rgb.data, rgb.data + rgb.total() * 3}};
}

// Mean distance of the landmarks, in distances between the eyes; 1 where there is not exactly one face.
double error_of(const std::vector<FaceBox>& found, const FaceBox& truth) {
    if (found.size() != 1 || !found[0].drawn) return 1;
    const auto& points = truth.landmarks;
    double sum = 0;
    for (std::size_t i = 0; i < points.size(); ++i)
        sum += std::hypot(found[0].landmarks[i].x - points[i].x, found[0].landmarks[i].y - points[i].y);
    return sum / 5 / std::hypot(points[1].x - points[0].x, points[1].y - points[0].y);
}

TEST(DrawnFaces, AreFoundInEveryStyleAndSize) {
    DrawnFaces finder;
    double sum = 0;
    int pictures = 0;
    for (int style = 0; style < kStyles; ++style) {
        for (const int size : {96, 160, 384}) {
            for (std::uint64_t number = 0; number < 6; ++number) {
                const Drawn drawn = person(number, size, static_cast<Style>(style));
                const double error = error_of(finder.detect(drawn.picture), drawn.face);
                EXPECT_LT(error, 0.3) << "style " << style << ", size " << size << ", person " << number;
                sum += error;
                ++pictures;
            }
        }
    }
    EXPECT_LT(sum / pictures, 0.08);
}

TEST(DrawnFaces, AreFoundInPortraitsWithTheBoxOfTheTraining) {
    DrawnFaces finder;
    for (std::uint64_t number = 0; number < 20; ++number) {
        const Drawn drawn = draw(reference_portrait(identity_seed(Split::Test, number), number, 256));
        const auto found = finder.detect(drawn.picture);
        ASSERT_LT(error_of(found, drawn.face), 0.2) << "person " << number;
        const double side = drawn.face.x1 - drawn.face.x0;
        EXPECT_NEAR(found[0].x0, drawn.face.x0, 0.12 * side) << "person " << number;
        EXPECT_NEAR(found[0].x1, drawn.face.x1, 0.12 * side) << "person " << number;
        EXPECT_NEAR(found[0].y1 - found[0].y0, drawn.face.y1 - drawn.face.y0, 0.15 * side) << "person " << number;
    }
}

TEST(DrawnFaces, AreFoundBlurredAndCompressed) {
    DrawnFaces finder;
    for (std::uint64_t number = 0; number < 10; ++number) {
        const Drawn drawn = person(number, 96);
        cv::Mat blurred;
        cv::GaussianBlur(bgr(drawn.picture), blurred, {0, 0}, 0.8);
        EXPECT_LT(error_of(finder.detect(frame_of(blurred)), drawn.face), 0.3) << "blurred, person " << number;
        std::vector<unsigned char> bytes;
        cv::imencode(".jpg", bgr(drawn.picture), bytes, {cv::IMWRITE_JPEG_QUALITY, 30});
        EXPECT_LT(error_of(finder.detect(frame_of(cv::imdecode(bytes, cv::IMREAD_COLOR))), drawn.face), 0.3)
            << "compressed, person " << number;
    }
}

TEST(DrawnFaces, AreNotSeenInPhotographs) {
    DrawnFaces finder;
    const cv::Mat photograph = cv::imread(MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg");
    ASSERT_FALSE(photograph.empty());
    const std::vector<cv::Rect> windows{{0, 0, 512, 512},     {140, 20, 200, 220},  {100, 0, 300, 300},
                                        {250, 300, 250, 200}, {0, 200, 200, 300},   {150, 60, 140, 140},
                                        {0, 0, 256, 512},     {200, 250, 312, 262}, {20, 20, 460, 380}};
    for (const cv::Rect& window : windows) {
        const cv::Mat part = photograph(window).clone();
        EXPECT_TRUE(finder.detect(frame_of(part)).empty()) << window;
        cv::Mat mirrored, blurred;
        cv::flip(part, mirrored, 1);
        EXPECT_TRUE(finder.detect(frame_of(mirrored)).empty()) << window;
        cv::GaussianBlur(part, blurred, {0, 0}, 3);
        EXPECT_TRUE(finder.detect(frame_of(blurred)).empty()) << window;
    }
}

TEST(DrawnFaces, NothingIsFoundInEmptyOrTinyPictures) {
    DrawnFaces finder;
    for (const auto& [width, height] : {std::pair{1, 1}, {3, 400}, {400, 3}, {64, 64}})
        EXPECT_TRUE(
            finder.detect({width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3, 128)})
                .empty());
}

TEST(DrawnFaces, TheReaderSaysWhatIsDrawn) {
    const testing::ScratchFolder folder;
    const auto reader = make_face_reader();
    const auto file = folder.path() / "drawn.png";
    cv::imwrite(file.string(), bgr(person(3, 256).picture));
    const auto drawn = reader->reference({file, {}}, ReferenceCrop::SquareFace, 2.0, 64);
    ASSERT_TRUE(drawn.ok()) << drawn.error().detail;
    EXPECT_TRUE(drawn.value().face.drawn);
    const auto real = reader->reference({MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg", {}},
                                        ReferenceCrop::SquareFace, 2.0, 64);
    ASSERT_TRUE(real.ok()) << real.error().detail;
    EXPECT_FALSE(real.value().face.drawn);
}

}  // namespace
}  // namespace mirror::face
