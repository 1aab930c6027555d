#include "engine/face/face_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "engine/face/alignment.h"
#include "engine/face/face_detector.h"
#include "engine/face/photograph.h"
#include "tests/face/picture_files.h"

namespace mirror::face {
namespace {

using namespace testing;
using ::testing::HasSubstr;

const std::filesystem::path astronaut = MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg";

// One reader for all tests: its models take a while to load.
FaceReader& reader() {
    static const std::unique_ptr<FaceReader> instance = make_face_reader();
    return *instance;
}

cv::Mat photo() {
    const Frame frame = reader().load(astronaut).value();
    cv::Mat bgr;
    cv::cvtColor(cv::Mat(frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.rgb.data())), bgr,
                 cv::COLOR_RGB2BGR);
    return bgr;
}

void expect_plausible(const FaceBox& face) {
    const auto& [left_eye, right_eye, nose, left_mouth, right_mouth] = face.landmarks;
    EXPECT_LT(left_eye.x, right_eye.x);
    EXPECT_LT(left_mouth.x, right_mouth.x);
    EXPECT_LT(left_eye.y, nose.y);
    EXPECT_LT(nose.y, left_mouth.y);
    EXPECT_GT(face.score, 0.5);
    EXPECT_LE(face.score, 1.0);
    for (const Point& point : face.landmarks) {
        EXPECT_GT(point.x, face.x0);
        EXPECT_LT(point.x, face.x1);
        EXPECT_GT(point.y, face.y0);
        EXPECT_LT(point.y, face.y1);
    }
}

TEST(FaceReader, FindsTheOneFaceOfThePhotograph) {
    const Result<PhotoFaces> found = reader().find(astronaut);
    ASSERT_TRUE(found.ok()) << found.error().detail;
    EXPECT_EQ(found.value().width, 512);
    EXPECT_EQ(found.value().height, 512);
    ASSERT_EQ(found.value().faces.size(), 1u);
    const FaceBox& face = found.value().faces[0];
    expect_plausible(face);
    // The eyes as a person would mark them.
    EXPECT_NEAR(face.landmarks[0].x, 203, 5);
    EXPECT_NEAR(face.landmarks[0].y, 102, 5);
    EXPECT_NEAR(face.landmarks[1].x, 247, 5);
    EXPECT_NEAR(face.landmarks[1].y, 104, 5);
}

TEST(FaceReader, PhotographsNeedNotBeFiles) {
    std::string asked;
    const auto from_bytes = make_face_reader([&](const std::filesystem::path& photo) {
        asked = photo.string();
        return read_photograph_bytes(photo == "packed/a.jpg" ? astronaut : photo);
    });
    const Result<Frame> loaded = from_bytes->load("packed/a.jpg");
    ASSERT_TRUE(loaded.ok()) << loaded.error().detail;
    EXPECT_EQ(asked, "packed/a.jpg");
    EXPECT_EQ(loaded.value().rgb, reader().load(astronaut).value().rgb);
    EXPECT_THAT(from_bytes->load("packed/gone.jpg").error().detail, HasSubstr("gone.jpg"));
}

TEST(FaceReader, FindsTheSameFaceHoweverTheCameraWasHeld) {
    const TestFolder folder;
    cv::Mat turned;
    cv::rotate(photo(), turned, cv::ROTATE_90_COUNTERCLOCKWISE);
    const FileBytes png = encoded(".png", turned);
    const Result<PhotoFaces> found = reader().find(folder.write("turned.png", with_png_exif(png, exif_block(6, true))));
    ASSERT_TRUE(found.ok()) << found.error().detail;
    ASSERT_EQ(found.value().faces.size(), 1u);
    const Result<PhotoFaces> original = reader().find(astronaut);
    EXPECT_NEAR(found.value().faces[0].x0, original.value().faces[0].x0, 1e-9);
}

TEST(FaceReader, FindsFacesThatFillTheFrame) {
    const TestFolder folder;
    const cv::Mat close = photo()(cv::Rect(178, 72, 90, 95));
    cv::Mat large;
    cv::resize(close, large, {900, 950}, 0, 0, cv::INTER_CUBIC);
    for (const auto& [name, picture] : {std::pair{"close.png", close}, std::pair{"large.png", large}}) {
        const Result<PhotoFaces> found = reader().find(folder.write(name, encoded(".png", picture)));
        ASSERT_TRUE(found.ok());
        ASSERT_EQ(found.value().faces.size(), 1u) << name;
        const FaceBox& face = found.value().faces[0];
        EXPECT_LT(face.landmarks[0].x, face.landmarks[1].x);
        EXPECT_GE(face.x0, 0);
        EXPECT_LE(face.x1, picture.cols);
        EXPECT_LE(face.y1, picture.rows);
    }
}

TEST(FaceReader, FindsNothingWhereThereIsNobody) {
    const TestFolder folder;
    const auto file = folder.write("suit.png", encoded(".png", photo()(cv::Rect(0, 256, 512, 256))));
    const Result<PhotoFaces> found = reader().find(file);
    ASSERT_TRUE(found.ok());
    EXPECT_TRUE(found.value().faces.empty());
    const Result<ReferenceFace> reference = reader().reference({file, {}}, ReferenceCrop::SquareFace, 2.0, 112);
    ASSERT_FALSE(reference.ok());
    EXPECT_EQ(reference.error().code, ErrorCode::NoFaceFound);
    EXPECT_THAT(reference.error().detail, HasSubstr("suit.png"));
}

TEST(FaceReader, ChoosesAmongSeveralFaces) {
    const TestFolder folder;
    cv::Mat both(512, 900, CV_8UC3, cv::Scalar(90, 90, 90));
    photo().copyTo(both(cv::Rect(0, 0, 512, 512)));
    cv::Mat small;
    cv::flip(photo(), small, 1);
    cv::resize(small, small, {380, 380}, 0, 0, cv::INTER_AREA);
    small.copyTo(both(cv::Rect(520, 60, 380, 380)));
    const auto file = folder.write("two.png", encoded(".png", both));

    const Result<PhotoFaces> found = reader().find(file);
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found.value().faces.size(), 2u);
    const Result<ReferenceFace> best = reader().reference({file, {}}, ReferenceCrop::SquareFace, 2.0, 112);
    const Result<ReferenceFace> second = reader().reference({file, 2}, ReferenceCrop::SquareFace, 2.0, 112);
    ASSERT_TRUE(best.ok());
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(best.value().face.x0, found.value().faces[0].x0);
    EXPECT_EQ(second.value().face.x0, found.value().faces[1].x0);
    EXPECT_NE(best.value().aligned.rgb, second.value().aligned.rgb);

    const Result<ReferenceFace> third = reader().reference({file, 3}, ReferenceCrop::SquareFace, 2.0, 112);
    ASSERT_FALSE(third.ok());
    EXPECT_EQ(third.error().code, ErrorCode::NoFaceFound);
    EXPECT_THAT(third.error().detail, HasSubstr("two.png shows 2 faces; face 3"));
}

TEST(FaceReader, CutsTheCropsThatTheEncodersSee) {
    const Frame picture = reader().load(astronaut).value();
    const FaceBox face = reader().find(picture).value()[0];
    const Result<FaceCrops> crops = reader().crops(picture, face);
    ASSERT_TRUE(crops.ok());
    EXPECT_EQ(crops.value().aligned.width, 112);
    EXPECT_EQ(crops.value().square.width, 224);
    const Result<ReferenceFace> reference = reader().reference({astronaut, 1}, ReferenceCrop::SquareFace, 2.0, 224);
    ASSERT_TRUE(reference.ok());
    EXPECT_EQ(reference.value().aligned.rgb, crops.value().aligned.rgb);
    EXPECT_EQ(reference.value().crop.rgb, crops.value().square.rgb);
}

TEST(FaceReader, NamesTheFileThatCannotBeRead) {
    const Result<PhotoFaces> found = reader().find("no/such/photo.jpg");
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, ErrorCode::MissingFile);
    EXPECT_THAT(found.error().detail, HasSubstr("photo.jpg"));
}

// Finds what it is told, to see what find_faces() makes of it.
class ScriptedDetector : public FaceDetector {
public:
    explicit ScriptedDetector(int succeeds_at) : succeeds_at_(succeeds_at) {}

    std::vector<FaceBox> detect(const Frame& picture) override {
        sizes.emplace_back(picture.width, picture.height);
        if (static_cast<int>(sizes.size()) != succeeds_at_) return {};
        const double w = picture.width, h = picture.height;
        return {FaceBox{0, 0, w / 10, h / 10, 0.9, {}}, FaceBox{w * 0.4, h * 0.4, w * 0.6, h * 0.6, 0.8, {}}};
    }

    std::vector<std::pair<int, int>> sizes;

private:
    int succeeds_at_;
};

TEST(FindFaces, ClimbsTheLadderAndThenAddsAMargin) {
    std::vector<std::unique_ptr<FaceDetector>> detectors;
    detectors.push_back(std::make_unique<ScriptedDetector>(-1));
    const Frame picture{2000, 1000, std::vector<std::uint8_t>(2000 * 1000 * 3, 7)};
    EXPECT_TRUE(find_faces(detectors, picture).empty());
    const auto& sizes = static_cast<const ScriptedDetector&>(*detectors[0]).sizes;
    const std::vector<std::pair<int, int>> expected{{1280, 640}, {640, 320}, {576, 288}, {512, 256}, {448, 224},
                                                    {384, 192},  {320, 160}, {256, 128}, {960, 480}};
    EXPECT_EQ(sizes, expected);
}

TEST(FindFaces, ReturnsPictureCoordinatesMostCentralFirst) {
    const Frame picture{400, 300, std::vector<std::uint8_t>(400 * 300 * 3, 7)};
    for (const int rung : {1, 2, 5}) {
        std::vector<std::unique_ptr<FaceDetector>> detectors;
        detectors.push_back(std::make_unique<ScriptedDetector>(rung));
        const std::vector<FaceBox> faces = find_faces(detectors, picture);
        ASSERT_EQ(faces.size(), 2u);
        EXPECT_NEAR(faces[0].x0, 160, 1e-6);
        EXPECT_NEAR(faces[0].y1, 180, 1e-6);
        EXPECT_NEAR(faces[1].x1, 40, 1e-6);
    }
}

}  // namespace
}  // namespace mirror::face
