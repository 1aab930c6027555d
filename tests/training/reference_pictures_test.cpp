// References bring the landmarks to their places, whatever the pose.

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "engine/training/jpeg_loss.h"
#include "engine/training/people/people.h"
#include "engine/training/person_features.h"
#include "engine/training/reference_pictures.h"

namespace mirror::engine::training {
namespace {

TEST(AlignedFace, PutsLandmarksInTheirPlaces) {
    // A white spot on every landmark of a black picture must come out where the template has them.
    FaceBox face;
    face.landmarks = {{{40, 52}, {70, 47}, {57, 66}, {47, 82}, {72, 78}}};
    at::Tensor picture = at::full({3, 128, 128}, -1.0);
    for (const Point& point : face.landmarks) {
        picture.narrow(1, static_cast<std::int64_t>(point.y) - 1, 3)
            .narrow(2, static_cast<std::int64_t>(point.x) - 1, 3)
            .fill_(1.0);
    }
    const at::Tensor aligned = aligned_face(picture, face.landmarks);
    const int x[] = {38, 74, 56, 42, 71}, y[] = {52, 52, 72, 92, 92};
    for (int i = 0; i < 5; ++i)
        EXPECT_GT(aligned[0].narrow(0, y[i] - 4, 9).narrow(1, x[i] - 4, 9).max().item<float>(), 0.0F) << i;
    EXPECT_FLOAT_EQ(aligned.min().item<float>(), -1.0F);  // Outside is black.
}

// What the library makes of the same picture; [3, H, W] in -1..1.
at::Tensor saved_and_read(const at::Tensor& picture, int quality) {
    const at::Tensor bytes = ((picture + 1.0) * 127.5).round().permute({1, 2, 0}).flip(2).to(at::kByte).contiguous();
    const cv::Mat image(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)), CV_8UC3, bytes.data_ptr());
    std::vector<unsigned char> file;
    cv::imencode(".jpg", image, file, {cv::IMWRITE_JPEG_QUALITY, quality});
    const cv::Mat read = cv::imdecode(file, cv::IMREAD_COLOR);
    const at::Tensor back = at::from_blob(read.data, {read.rows, read.cols, 3}, at::kByte).clone();
    return back.flip(2).permute({2, 0, 1}).to(at::kFloat) / 127.5 - 1.0;
}

// The library differs in how it enlarges the colours and rounds within: a level or two where there are edges.
TEST(JpegLoss, LosesWhatTheLibraryLoses) {
    const at::Tensor drawn = to_signal(draw(people::reference_portrait(7, 11, 101)).pixels.select(1, 0));
    const at::Tensor picture = drawn.narrow(2, 0, 90);  // No multiple of 16 in either direction.
    for (const int quality : {20, 60, 80, 95}) {
        const at::Tensor ours = jpeg_loss(picture, quality), theirs = saved_and_read(picture, quality);
        ASSERT_EQ(ours.sizes(), theirs.sizes());
        const double apart = (ours - theirs).abs().mean().item<double>();
        const double lost = (theirs - picture).abs().mean().item<double>();
        EXPECT_LT(apart * 127.5, 1.5) << quality;
        EXPECT_LT(apart, 0.35 * lost) << quality;
    }
    const at::Tensor grey = at::full({3, 9, 17}, 40 / 127.5 - 1.0);
    EXPECT_LT((jpeg_loss(grey, 50) - grey).abs().max().item<double>(), 1.01 / 127.5);
}

TEST(PeopleBatch, IsAFunctionOfItsPosition) {
    PeopleOptions options;
    options.people = 50;
    const auto batch = [&](std::int64_t first) {
        return people_batch(options, people::Split::Train, 3, first, 2, 48, 2.0, {});
    };
    const PeopleBatch a = batch(4), b = batch(5);
    EXPECT_TRUE(a.crops[1].equal(b.crops[0]));
    EXPECT_TRUE(a.classes[1].equal(b.classes[0]));
    EXPECT_EQ(a.aligned.sizes(), (std::vector<std::int64_t>{2, 3, 112, 112}));
    EXPECT_LT(a.aligned.abs().max().item<float>(), 1.001F);
}

TEST(Top1, FindsThePersonByTheMeanOfTheOthers) {
    const at::Tensor people = at::eye(4).repeat_interleave(3, 0);
    EXPECT_DOUBLE_EQ(top_1(people, 4, 3), 1.0);
    EXPECT_LT(top_1(people.roll(1, 0), 4, 3), 1.0);
}

}  // namespace
}  // namespace mirror::engine::training
