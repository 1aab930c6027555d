#include "engine/metrics/clip_scores.h"

#include <algorithm>

namespace mirror::metrics {

ClipScores scores_of(std::span<const FaceSeen> references, const ObservedClip& clip, const ScoreOptions& options) {
    const ObservedClip some = sampled(clip, options.samples), for_motion = sampled(clip, options.motion_samples);
    ClipScores scores;
    scores.frames = static_cast<std::int64_t>(clip.frames.size());
    scores.sampled = static_cast<std::int64_t>(some.frames.size());
    scores.missing_faces = missing_share(some);
    scores.similarities = similarity_series(references, some, IdAverage::Similarities);
    scores.id_similarity = mean_of(scores.similarities);
    scores.id_similarity_mean_embedding = mean_of(similarity_series(references, some, IdAverage::MeanDirection));
    scores.decay = similarity_decay(scores.similarities, DecayFit::LeastSquares);
    scores.decay_first_last = similarity_decay(scores.similarities, DecayFit::FirstLast);
    scores.reference_similarity = mean_of(similarity_series(references, clip, IdAverage::Similarities));
    scores.inter_frame_similarity = inter_frame_similarity(clip);
    scores.fm_ref = reference_motion(references, for_motion, options.motion);
    scores.fm_inter = inter_frame_motion(references, for_motion, options.motion);
    return scores;
}

std::vector<std::pair<std::string, std::optional<double>>> named_scores(const ClipScores& scores) {
    return {{"id_sim", scores.id_similarity},
            {"id_sim_mean_embedding", scores.id_similarity_mean_embedding},
            {"decay", scores.decay},
            {"decay_first_last", scores.decay_first_last},
            {"rs", scores.reference_similarity},
            {"ifs", scores.inter_frame_similarity},
            {"fm_ref", scores.fm_ref},
            {"fm_inter", scores.fm_inter},
            {"fm_dense", scores.fm_dense},
            {"missing_faces", scores.missing_faces},
            {"dynamic", scores.dynamic.dynamic ? 1.0 : 0.0},
            {"flow_speed", scores.dynamic.speed}};
}

std::vector<std::pair<std::string, std::optional<double>>> mean_scores(std::span<const ClipScores> videos) {
    auto means = named_scores({});
    for (std::size_t i = 0; i < means.size(); ++i) {
        Series values;
        for (const ClipScores& video : videos) values.push_back(named_scores(video)[i].second);
        means[i].second = mean_of(values);
        if (means[i].first.starts_with("decay") && means[i].second) means[i].second = std::max(0.0, *means[i].second);
    }
    return means;
}

}  // namespace mirror::metrics
