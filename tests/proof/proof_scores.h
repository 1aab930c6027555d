#pragma once

// What the judge and the measures say about the clips.

#include <map>
#include <string>
#include <vector>

#include "engine/metrics/clip_scores.h"
#include "engine/metrics/face_embedder.h"
#include "engine/training/judge.h"
#include "tests/proof/proof_plan.h"

namespace mirror::proof {

struct JudgedClip {
    ProofClip plan;
    int chosen = 0;  // Whom of the 64 the judge sees.
    int rank = 0;    // Where the right person stands; 0: first.
    people::Action action = people::Action::Turn;
    people::Place place = people::Place::Beach;
    people::Style style = people::Style::Cartoon;
    double similarity = 0;           // Of the clip's mean direction, by the judge, to the right person's.
    double similarity_to_other = 0;  // To those of the other 63, mean.
    metrics::ClipScores by_judge;    // Faces compared by the judge's network,
    metrics::ClipScores by_model;    // and by the model's recogniser.
    std::vector<float> identity;     // The mean over the frames of the judge's vectors of length 1.
    int frames = 1;                  // That this mean was taken over.

    bool is_identified() const { return rank == 0; }
    bool has_action() const { return action == plan.scene.action; }
    bool has_place() const { return place == plan.scene.place; }
    bool has_style() const { return style == plan.scene.style; }
};

class ClipJudge {
public:
    // `embedder` must outlive it.
    ClipJudge(engine::training::Judge judge, metrics::FaceEmbedder& embedder);

    JudgedClip judged(const ProofClip& plan, const std::vector<Frame>& frames, const std::vector<Frame>& references);

private:
    struct References {
        std::vector<metrics::FaceSeen> by_judge, by_model;
    };
    const References& references_of(int person, const std::vector<Frame>& pictures);
    std::vector<std::vector<float>> model_embeddings(const std::vector<Frame>& frames,
                                                     const std::vector<FaceBox>& faces);

    engine::training::Judge judge_;
    metrics::FaceEmbedder& embedder_;
    at::Tensor gallery_;  // [64, id_dim]
    std::map<int, References> references_;
};

// The means of a group.
struct GroupScores {
    std::string group;
    int clips = 0;
    double top_1 = 0, top_5 = 0, action = 0, place = 0, style = 0, both = 0;
    double similarity = 0, similarity_to_other = 0;
    double dynamic = 0, flow_speed = 0;
    std::optional<double> id_sim_judge, id_sim_model, decay_judge, decay_model, fm_ref, fm_inter, within_shot;

    double prompt() const { return (action + place) / 2; }
};

GroupScores scores_of_group(const std::string& group, const std::vector<JudgedClip>& clips);

// How alike the judge finds two frames of one shot, mean over all pairs of different frames.
double similarity_within(const JudgedClip& clip);

// How alike it finds two frames of different shots of one person, mean over all pairs, over the people that have two.
std::optional<double> similarity_across_shots(const std::string& group, const std::vector<JudgedClip>& clips);

}  // namespace mirror::proof
