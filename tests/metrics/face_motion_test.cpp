// The motion of landmarks: what it ignores, what it measures, what it distrusts.

#include "engine/metrics/face_motion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/metrics/observed_clips.h"

namespace mirror::metrics::testing {
namespace {

const std::vector<FaceSeen>& reference() {
    static const std::vector<FaceSeen> one = {face_at(10, 20, {1, 0})};
    return one;
}

FaceSeen enlarged(const FaceSeen& face, double x_scale, double y_scale) {
    FaceSeen larger = face;
    larger.box.x0 *= x_scale, larger.box.x1 *= x_scale, larger.box.y0 *= y_scale, larger.box.y1 *= y_scale;
    for (Point& point : larger.box.landmarks) point = {point.x * x_scale, point.y * y_scale};
    return larger;
}

TEST(ReferenceMotion, IgnoresPlaceAndSize) {
    const auto clip = clip_of({reference()[0], face_at(60, 80, {1, 0}), enlarged(face_at(10, 10, {1, 0}), 1.5, 0.8)});
    EXPECT_NEAR(*reference_motion(reference(), clip, {}), 0, 1e-12);
}

TEST(ReferenceMotion, IsTheSumOfFiveDistancesInBoxes) {
    // Frame 1: the nose 30 right and 40 down is 0.5 boxes. Frame 2: every landmark 10 right is 5 * 0.1.
    FaceSeen turned = face_at(0, 0, {1, 0}), shifted = face_at(50, 0, {1, 0});
    turned.box.landmarks[2].x += 30;
    turned.box.landmarks[2].y += 40;
    for (Point& point : shifted.box.landmarks) point.x += 10;
    EXPECT_NEAR(*reference_motion(reference(), clip_of({turned}), {}), 0.5, 1e-12);
    EXPECT_NEAR(*reference_motion(reference(), clip_of({turned, shifted, shifted}), {}), 0.5, 1e-12);
    EXPECT_NEAR(*reference_motion(reference(), clip_of({turned, reference()[0]}), {}), 0.25, 1e-12);
}

TEST(ReferenceMotion, CanBeMeasuredBetweenTheEyes) {
    FaceSeen turned = face_at(0, 0, {1, 0});
    turned.box.landmarks[2].x += 20;  // Half of the 40 between the eyes.
    MotionOptions options;
    options.unit = FaceUnit::Interocular;
    EXPECT_NEAR(*reference_motion(reference(), clip_of({turned}), options), 0.5, 1e-12);
}

TEST(ReferenceMotion, LeavesOutDoubtfulFaces) {
    FaceSeen small = enlarged(face_at(0, 0, {1, 0}), 0.19, 0.19);  // The eyes 7.6 pixels apart.
    small.box.landmarks[2].x += 5;
    FaceSeen doubtful = face_at(0, 0, {1, 0}, 0.59);
    doubtful.box.landmarks[2].x += 50;
    EXPECT_FALSE(reference_motion(reference(), clip_of({small, doubtful}), {}));
    EXPECT_NEAR(*reference_motion(reference(), clip_of({small, doubtful, reference()[0]}), {}), 0, 1e-12);
}

TEST(ReferenceMotion, IsTheMeanOverReferences) {
    FaceSeen other = face_at(0, 0, {1, 0});
    other.box.landmarks[2].x += 50;
    const std::vector<FaceSeen> two = {reference()[0], other};
    EXPECT_NEAR(*reference_motion(two, clip_of({reference()[0]}), {}), 0.25, 1e-12);
}

TEST(InterFrameMotion, IsLinearInTranslation) {
    // In a picture of 200 x 400 a face that moves by (20, 0) moves each landmark by 0.1; by (0, 40) likewise.
    const auto moved = [](double x, double y) { return face_at(50 + x, 50 + y, {1, 0}); };
    EXPECT_NEAR(*inter_frame_motion(reference(), clip_of({moved(0, 0), moved(0, 0)}), {}), 0, 1e-12);
    EXPECT_NEAR(*inter_frame_motion(reference(), clip_of({moved(0, 0), moved(20, 0)}), {}), 0.5, 1e-12);
    EXPECT_NEAR(*inter_frame_motion(reference(), clip_of({moved(0, 0), moved(0, 80)}), {}), 1.0, 1e-12);
}

TEST(InterFrameMotion, IsReducedAsAsked) {
    const auto clip = clip_of({face_at(0, 0, {1, 0}), face_at(20, 0, {1, 0}), std::nullopt, face_at(80, 0, {1, 0})});
    MotionOptions options;  // Steps 0.5 and, across the frame without a face, 1.5.
    EXPECT_NEAR(*inter_frame_motion(reference(), clip, options), 1.5, 1e-12);
    options.inter_reduce = InterReduce::Mean;
    EXPECT_NEAR(*inter_frame_motion(reference(), clip, options), 1.0, 1e-12);
    options.inter_reduce = InterReduce::Sum;
    EXPECT_NEAR(*inter_frame_motion(reference(), clip, options), 2.0, 1e-12);
    EXPECT_FALSE(inter_frame_motion(reference(), clip_of({face_at(0, 0, {1, 0})}), options));
}

TEST(InterFrameMotion, DropsASwitchToAnotherFace) {
    const FaceSeen same = face_at(0, 0, {1, 0}), far_and_other = face_at(100, 200, {0, 1});
    const FaceSeen far_but_same = face_at(100, 200, {1, 0});
    EXPECT_FALSE(inter_frame_motion(reference(), clip_of({same, far_and_other}), {}));
    EXPECT_TRUE(inter_frame_motion(reference(), clip_of({same, far_but_same}), {}));
    EXPECT_EQ(*inter_frame_motion(reference(), clip_of({same, far_and_other, same}), {}), 0);
    EXPECT_NEAR(*inter_frame_motion(reference(), clip_of({same, far_and_other, far_and_other, far_but_same}), {}),
                *inter_frame_motion(reference(), clip_of({same, far_but_same}), {}), 1e-12);
    // Where a clip begins with the other face likeness is only gained.
    EXPECT_TRUE(inter_frame_motion(reference(), clip_of({far_and_other, same}), {}));
}

TEST(Overlap, IsTheCommonOverTheJointArea) {
    const FaceBox a{0, 0, 10, 10, 1, {}}, b{5, 0, 15, 10, 1, {}}, c{20, 0, 30, 10, 1, {}};
    EXPECT_NEAR(overlap(a, b), 50.0 / 150, 1e-12);
    EXPECT_EQ(overlap(a, a), 1);
    EXPECT_EQ(overlap(a, c), 0);
}

}  // namespace
}  // namespace mirror::metrics::testing
