// References bring the landmarks to their places, whatever the pose.

#include <gtest/gtest.h>

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
