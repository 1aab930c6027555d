#pragma once

// All measures of one video, and their mean over several.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/metrics/dense_motion.h"
#include "engine/metrics/face_motion.h"
#include "engine/metrics/identity_measures.h"

namespace mirror::metrics {

struct ScoreOptions {
    std::int64_t samples = 16;         // Uniform frames for similarity, decay and missing faces; 0: every frame.
    std::int64_t motion_samples = 16;  // Likewise for the motion of landmarks.
    MotionOptions motion;
};

// What cannot be measured is nothing.
struct ClipScores {
    std::int64_t frames = 0;                             // Of the video.
    std::int64_t sampled = 0;                            // Of these, for the next five.
    double missing_faces = 0;                            // The share of sampled frames without a face.
    std::optional<double> id_similarity;                 // Mean of the similarities to the references.
    std::optional<double> id_similarity_mean_embedding;  // Similarity to the references' mean.
    std::optional<double> decay;                         // By least squares.
    std::optional<double> decay_first_last;
    std::optional<double> reference_similarity;    // RS: every frame.
    std::optional<double> inter_frame_similarity;  // IFS: every pair of neighbouring frames.
    std::optional<double> fm_ref;
    std::optional<double> fm_inter;
    std::optional<double> fm_dense;  // Farneback, in the face's region.
    DynamicScore dynamic;
    Series similarities;  // A of every sampled frame.
};

// Everything that follows from the observations of every frame; `fm_dense` and `dynamic` are left as they are.
ClipScores scores_of(std::span<const FaceSeen> references, const ObservedClip& clip, const ScoreOptions& options);

// The measures with their short names, in the order of tables and JSON.
std::vector<std::pair<std::string, std::optional<double>>> named_scores(const ClipScores& scores);

// The mean of each measure over the videos that have it, under the same names. The decays are not below 0.
std::vector<std::pair<std::string, std::optional<double>>> mean_scores(std::span<const ClipScores> videos);

}  // namespace mirror::metrics
