// YuNet's decoding on networks whose answers are known, in both published forms; the older one against OpenCV's own.

#include "engine/face/yunet_detector.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "engine/core/result.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/scratch_folder.h"

namespace mirror::face {
namespace {

using mirror::testing::OnnxWriter;
using Weights = std::vector<std::vector<float>>;

// What every cell says about its box and its landmarks, slightly different from number to number.
float said(std::size_t i) { return 0.3f + 0.07f * static_cast<float>(i); }

// Maps [1, outputs, h, w] to the table [1, h * w * outputs / columns, columns].
std::string as_table(OnnxWriter& writer, const std::string& from, std::int64_t columns) {
    return writer.reshaped(writer.channels_last(from), {1, -1, columns});
}

Weights none(std::size_t rows) { return Weights(rows, std::vector<float>(3, 0.0f)); }

// The scores of a level are the colour of the cell's corner: blue for stride 8, green for 16, red for 32, blue again
// for
// 64. The input is blue first.
std::vector<float> colour_of_level(std::size_t level, float weight) {
    std::vector<float> row(3, 0.0f);
    row[level % 3] = weight / 255;
    return row;
}

std::string network_2022(const std::vector<std::int64_t>& input = {1, 3, 120, 160}) {
    OnnxWriter writer(input);
    std::vector<std::string> places, classes, qualities;
    const std::array<std::size_t, 4> anchors{3, 2, 2, 3};
    for (std::size_t level = 0; level < anchors.size(); ++level) {
        const std::int64_t stride = 8 << level;
        const std::size_t count = anchors[level];
        std::vector<float> numbers;
        Weights scores;
        for (std::size_t anchor = 0; anchor < count; ++anchor) {
            for (std::size_t i = 0; i < 14; ++i) numbers.push_back(said(i));
            scores.emplace_back(3, 0.0f);  // Not a face.
            scores.push_back(colour_of_level(level, anchor == 1 ? 1.0f : 0.5f));
        }
        places.push_back(as_table(writer, writer.convolution("input", stride, none(14 * count), numbers), 14));
        classes.push_back(
            as_table(writer, writer.convolution("input", stride, scores, std::vector<float>(2 * count, 0)), 2));
        qualities.push_back(
            as_table(writer, writer.convolution("input", stride, none(count), std::vector<float>(count, 0.9f)), 1));
    }
    const auto joined = [&](const std::vector<std::string>& parts) {
        return writer.operation("Concat", parts, {{"axis", std::int64_t{1}}});
    };
    writer.output(joined(places), {}, "loc");
    writer.output(joined(classes), {}, "conf");
    writer.output(joined(qualities), {}, "iou");
    return writer.bytes();
}

std::string network_2023(std::size_t levels = 3) {
    OnnxWriter writer({1, 3, 640, 640});
    const auto heads = [&](const std::string& name, std::size_t columns, auto weights, auto bias) {
        for (std::size_t level = 0; level < levels; ++level) {
            const std::string map = writer.convolution("input", 8 << level, weights(level), bias);
            writer.output(as_table(writer, map, static_cast<std::int64_t>(columns)), {},
                          name + "_" + std::to_string(8 << level));
        }
    };
    std::vector<float> box, points;
    for (std::size_t i = 0; i < 4; ++i) box.push_back(said(i));
    for (std::size_t i = 4; i < 14; ++i) points.push_back(said(i));
    const auto score = [](std::size_t level) { return Weights{colour_of_level(level, 1)}; };
    heads("cls", 1, score, std::vector<float>{0});
    heads(
        "obj", 1, [](std::size_t) { return none(1); }, std::vector<float>{0.9f});
    heads(
        "bbox", 4, [](std::size_t) { return none(4); }, box);
    heads(
        "kps", 10, [](std::size_t) { return none(10); }, points);
    return writer.bytes();
}

class Yunet : public ::testing::Test {
protected:
    YunetDetector detector(const std::string& bytes) { return YunetDetector(written(bytes)); }
    std::filesystem::path written(const std::string& bytes) {
        const auto file = folder_.path() / "yunet.onnx";
        std::ofstream(file, std::ios::binary) << bytes;
        return file;
    }
    static Frame black(int width, int height) {
        return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3))};
    }
    // One pixel; level 0 is blue, 1 green, 2 red, 3 blue.
    static void mark(Frame& picture, int x, int y, int level, std::uint8_t value = 255) {
        picture.row(y)[3 * x + 2 - level % 3] = value;
    }

    mirror::testing::ScratchFolder folder_;
};

TEST_F(Yunet, AgreesWithOpenCvOnTheOlderForm) {
    Frame picture = black(640, 640);
    mark(picture, 24, 40, 0);
    mark(picture, 336, 80, 1, 250);
    mark(picture, 160, 416, 2, 240);
    mark(picture, 512, 448, 3);  // Blue for strides 8 and 64: the smaller box lies apart from the larger one's middle.
    const auto faces = detector(network_2022()).detect(picture);

    cv::Mat blue_first;
    cv::cvtColor(cv::Mat(640, 640, CV_8UC3, picture.rgb.data()), blue_first, cv::COLOR_RGB2BGR);
    cv::Mat expected;
    cv::FaceDetectorYN::create(written(network_2022()).string(), "", {640, 640}, 0.9f, 0.3f)
        ->detect(blue_first, expected);
    ASSERT_EQ(static_cast<int>(faces.size()), expected.rows);
    ASSERT_GE(faces.size(), 4u);
    for (int row = 0; row < expected.rows; ++row) {
        const float* numbers = expected.ptr<float>(row);
        const auto same = [&](const FaceBox& face) {
            return std::abs(face.x0 - std::max(0.0f, numbers[0])) < 0.01 &&
                   std::abs(face.y0 - std::max(0.0f, numbers[1])) < 0.01;
        };
        const auto face = std::find_if(faces.begin(), faces.end(), same);
        ASSERT_NE(face, faces.end()) << numbers[0] << " " << numbers[1];
        EXPECT_NEAR(face->x1, std::min(640.0f, numbers[0] + numbers[2]), 0.01);
        EXPECT_NEAR(face->y1, std::min(640.0f, numbers[1] + numbers[3]), 0.01);
        for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_NEAR(face->landmarks[i].x, numbers[4 + 2 * i], 0.01);
            EXPECT_NEAR(face->landmarks[i].y, numbers[5 + 2 * i], 0.01);
        }
        EXPECT_NEAR(face->score, numbers[14], 1e-5);
    }
}

TEST_F(Yunet, DecodesEveryStrideOfTheNewerForm) {
    YunetDetector yunet = detector(network_2023());
    for (int level = 0; level < 3; ++level) {
        const double stride = 8 << level;
        Frame picture = black(640, 640);
        mark(picture, 160, 96, level);
        const auto faces = yunet.detect(picture);
        ASSERT_EQ(faces.size(), 1u) << stride;
        const double width = std::exp(said(2)) * stride, height = std::exp(said(3)) * stride;
        EXPECT_NEAR(faces[0].x0, 160 + said(0) * stride - width / 2, 1e-3);
        EXPECT_NEAR(faces[0].x1, 160 + said(0) * stride + width / 2, 1e-3);
        EXPECT_NEAR(faces[0].y0, 96 + said(1) * stride - height / 2, 1e-3);
        EXPECT_NEAR(faces[0].y1, 96 + said(1) * stride + height / 2, 1e-3);
        for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_NEAR(faces[0].landmarks[i].x, 160 + said(4 + 2 * i) * stride, 1e-3);
            EXPECT_NEAR(faces[0].landmarks[i].y, 96 + said(5 + 2 * i) * stride, 1e-3);
        }
        EXPECT_NEAR(faces[0].score, std::sqrt(0.9), 1e-5);
    }
}

TEST_F(Yunet, KeepsScoresFromNineTenths) {
    for (const std::string& bytes : {network_2022(), network_2023()}) {
        YunetDetector yunet = detector(bytes);
        Frame picture = black(640, 640);
        mark(picture, 160, 96, 1, 229);  // sqrt(0.9 * 229 / 255) = 0.899
        EXPECT_TRUE(yunet.detect(picture).empty());
        mark(picture, 160, 96, 1, 230);
        EXPECT_EQ(yunet.detect(picture).size(), 1u);
    }
}

TEST_F(Yunet, PutsThePictureInTheUpperLeftCorner) {
    Frame wide = black(1280, 320);
    for (int y = 152; y < 168; ++y)
        for (int x = 312; x < 328; ++x) mark(wide, x, y, 1);
    const auto faces = detector(network_2023()).detect(wide);
    ASSERT_EQ(faces.size(), 1u);
    // (160, 80) on the canvas, which shows half of the picture's size.
    EXPECT_NEAR((faces[0].x0 + faces[0].x1) / 2, 2 * (160 + said(0) * 16), 1e-3);
    EXPECT_NEAR((faces[0].y0 + faces[0].y1) / 2, 2 * (80 + said(1) * 16), 1e-3);
}

TEST_F(Yunet, IsFoundByNameAndByContent) {
    for (const char* name : {"face_detection_yunet_2023mar.onnx", "anything.onnx"}) {
        const mirror::testing::ScratchFolder models;
        std::ofstream(models.path() / name, std::ios::binary) << network_2023();
        ::setenv("MIRROR_FACE_MODELS", models.path().c_str(), 1);
        const auto detectors = make_face_detectors();
        ::unsetenv("MIRROR_FACE_MODELS");
        ASSERT_EQ(detectors.size(), 2u) << name;
        Frame picture = black(640, 640);
        mark(picture, 160, 96, 1);
        EXPECT_EQ(find_faces(detectors, picture).size(), 1u);
    }
}

TEST_F(Yunet, NamesFilesThatAreNoDetector) {
    OnnxWriter other({1, 3, 640, 640});
    other.output(other.convolution("input", 8, {{1, 1, 1}}, {0}));
    for (const std::string& bytes : {std::string(), std::string("no network"), network_2023(2), other.bytes()}) {
        try {
            detector(bytes).detect(black(64, 64));
            ADD_FAILURE() << "was taken";
        } catch (const EngineError& error) {
            EXPECT_NE(std::string(error.what()).find("yunet.onnx"), std::string::npos) << error.what();
        }
    }
}

}  // namespace
}  // namespace mirror::face
