// Similarities and their decay against numbers worked out by hand.

#include "engine/metrics/identity_measures.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/metrics/clip_scores.h"
#include "tests/metrics/observed_clips.h"

namespace mirror::metrics::testing {
namespace {

TEST(UniformIndices, GoFromTheFirstToTheLast) {
    const std::vector<std::int64_t> wanted = {0, 3, 6, 10, 13, 16, 19, 22, 26, 29, 32, 35, 38, 42, 45, 48};
    EXPECT_EQ(uniform_indices(49, 16), wanted);  // Stride 48 / 15 = 3.2
    EXPECT_EQ(uniform_indices(3, 16), (std::vector<std::int64_t>{0, 1, 2}));
    EXPECT_EQ(uniform_indices(4, 0).size(), 4u);
    EXPECT_EQ(uniform_indices(9, 1), std::vector<std::int64_t>{0});
    EXPECT_TRUE(uniform_indices(0, 16).empty());
}

TEST(Similarity, IsTheMeanOverReferencesAndFrames) {
    // Unit references (1, 0) and (0, 1); lengths do not count.
    const std::vector<FaceSeen> references = {face_at(0, 0, {2, 0}), face_at(0, 0, {0, 5})};
    // Cosines to them: (0.6, 0.8) and (1, 0): means 0.7 and 0.5.
    const ObservedClip clip = clip_of({face_at(0, 0, {3, 4}), std::nullopt, face_at(0, 0, {7, 0})});
    const Series a = similarity_series(references, clip, IdAverage::Similarities);
    EXPECT_NEAR(*a[0], 0.7, 1e-6);
    EXPECT_FALSE(a[1]);
    EXPECT_NEAR(*a[2], 0.5, 1e-6);
    EXPECT_NEAR(*mean_of(a), 0.6, 1e-6);
    EXPECT_NEAR(missing_share(clip), 1.0 / 3, 1e-12);
}

TEST(Similarity, OfTheMeanDirectionIsTheOtherOverItsLength) {
    const std::vector<FaceSeen> references = {face_at(0, 0, {2, 0}), face_at(0, 0, {0, 5})};
    const ObservedClip clip = clip_of({face_at(0, 0, {3, 4})});
    // The mean of the unit references is (0.5, 0.5), its length 0.7071.
    const double a = *similarity_series(references, clip, IdAverage::Similarities)[0];
    const double b = *similarity_series(references, clip, IdAverage::MeanDirection)[0];
    EXPECT_NEAR(a, std::sqrt(0.5) * b, 1e-6);
    const std::vector<FaceSeen> one = {references[0]};
    EXPECT_NEAR(*similarity_series(one, clip, IdAverage::Similarities)[0],
                *similarity_series(one, clip, IdAverage::MeanDirection)[0], 1e-9);
}

TEST(Similarity, WithoutFacesOrReferencesIsNothing) {
    EXPECT_FALSE(mean_of(similarity_series({}, clip_of({face_at(0, 0, {1, 0})}), IdAverage::Similarities)));
    const std::vector<FaceSeen> references = {face_at(0, 0, {1, 0})};
    EXPECT_FALSE(mean_of(similarity_series(references, clip_of({std::nullopt}), IdAverage::Similarities)));
    EXPECT_EQ(cosine(std::vector<float>{0, 0}, std::vector<float>{1, 0}), 0);
}

TEST(Decay, IsWhatTheLineLoses) {
    EXPECT_NEAR(*similarity_decay({0.9, 0.8, 0.7}, DecayFit::LeastSquares), 0.2, 1e-9);
    EXPECT_NEAR(*similarity_decay({0.5, 0.5, 0.5, 0.5}, DecayFit::LeastSquares), 0, 1e-12);
    // Least squares through (0, 0.9), (1, 0.6), (2, 0.9), (3, 0.6): slope -0.06, three steps.
    EXPECT_NEAR(*similarity_decay({0.9, 0.6, 0.9, 0.6}, DecayFit::LeastSquares), 0.18, 1e-9);
    EXPECT_NEAR(*similarity_decay({0.9, 0.6, 0.9, 0.6}, DecayFit::FirstLast), 0.3, 1e-9);
    EXPECT_LT(*similarity_decay({0.1, 0.2}, DecayFit::LeastSquares), 0);
}

TEST(Decay, LeavesOutFramesWithoutAFaceButKeepsTheirPlace) {
    // A line through (0, 0.8) and (4, 0.4), also where the series ends without a face.
    const Series series = {0.8, std::nullopt, std::nullopt, std::nullopt, 0.4, std::nullopt};
    EXPECT_NEAR(*similarity_decay(series, DecayFit::LeastSquares), 0.5, 1e-9);
    EXPECT_NEAR(*similarity_decay(series, DecayFit::FirstLast), 0.4, 1e-9);
    EXPECT_FALSE(similarity_decay({std::nullopt, 0.4}, DecayFit::LeastSquares));
}

TEST(InterFrame, SimilarityNeedsNeighbours) {
    const auto clip = clip_of({face_at(0, 0, {1, 0}), face_at(0, 0, {3, 4}), std::nullopt, face_at(0, 0, {0, 1})});
    EXPECT_NEAR(*inter_frame_similarity(clip), 0.6, 1e-6);
    EXPECT_FALSE(inter_frame_similarity(clip_of({face_at(0, 0, {1, 0})})));
}

TEST(Scores, MeansLeaveOutWhatIsMissing) {
    const std::vector<FaceSeen> references = {face_at(0, 0, {1, 0})};
    const auto better = clip_of({face_at(0, 0, {3, 4}), face_at(0, 0, {1, 0})});
    const std::vector<ClipScores> videos = {scores_of(references, better, {}),
                                            scores_of(references, clip_of({std::nullopt, std::nullopt}), {})};
    const auto means = mean_scores(videos);
    const auto value = [&](const std::string& name) {
        for (const auto& [key, number] : means)
            if (key == name) return number;
        return std::optional<double>();
    };
    EXPECT_NEAR(*value("id_sim"), 0.8, 1e-6);
    EXPECT_EQ(*value("decay"), 0);  // -0.4: it got better.
    EXPECT_NEAR(*value("missing_faces"), 0.5, 1e-9);
    EXPECT_FALSE(value("fm_dense"));
}

}  // namespace
}  // namespace mirror::metrics::testing
