#include "tests/proof/proof_scores.h"

#include "engine/core/result.h"
#include "engine/face/alignment.h"
#include "engine/metrics/dense_motion.h"
#include "tests/proof/clip_maker.h"

namespace mirror::proof {

namespace {

using engine::training::Verdict;

constexpr int kGalleryPictures = 6;
constexpr int kGallerySide = 96;
constexpr std::uint64_t kGallerySeed = 8'000'000;
constexpr int kAlignedSide = 112;
constexpr double kFramesPerSecond = 8;

std::vector<float> row_of(const at::Tensor& tensor) {
    const at::Tensor row = tensor.to(at::kCPU, at::kFloat).contiguous();
    return {row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()};
}

// The judge sees each person in calm portraits and in scenes.
at::Tensor gallery_of(const engine::training::Judge& judge) {
    std::vector<at::Tensor> people;
    for (int person = 0; person < kPeople; ++person) {
        std::vector<Frame> pictures;
        for (int i = 0; i < kGalleryPictures; ++i) {
            const std::uint64_t seed = kGallerySeed + static_cast<std::uint64_t>(i);
            people::SceneOptions options;
            options.frames = 1;
            options.width = options.height = kGallerySide;
            options.other_style_share = 0;
            const bool portrait = i % 2 == 0;
            pictures.push_back(
                people::render_frame(portrait ? people::reference_portrait(person_seed(person), seed, kGallerySide)
                                              : people::random_scene_of(person_seed(person), seed, options),
                                     0));
        }
        people.push_back(judge.look_at(pictures).identity);
    }
    return at::stack(people);
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

metrics::ObservedClip observed(const std::vector<Frame>& frames, const std::vector<FaceBox>& faces,
                               const std::vector<std::vector<float>>& embeddings) {
    metrics::ObservedClip clip{frames.at(0).width, frames.at(0).height, {}};
    for (std::size_t i = 0; i < frames.size(); ++i) {
        metrics::ObservedFrame frame{static_cast<std::int64_t>(i), {}};
        if (!embeddings[i].empty()) frame.face = metrics::FaceSeen{faces[i], embeddings[i]};
        clip.frames.push_back(std::move(frame));
    }
    return clip;
}

std::vector<std::vector<float>> judge_embeddings(const Verdict& verdict) {
    std::vector<std::vector<float>> rows;
    for (std::int64_t i = 0; i < verdict.frame_identities.size(0); ++i)
        rows.push_back(row_of(verdict.frame_identities[i]));
    return rows;
}

metrics::DynamicScore movement_of(const std::vector<Frame>& frames) {
    metrics::DynamicDegree degree(kFramesPerSecond);
    for (const Frame& frame : frames) degree.add(frame);
    return degree.score();
}

void find_in_gallery(JudgedClip& clip, const at::Tensor& gallery, const at::Tensor& identity) {
    const at::Tensor likeness = at::matmul(gallery, identity);
    const double right = likeness[clip.plan.person].item<double>();
    clip.chosen = static_cast<int>(likeness.argmax().item<std::int64_t>());
    clip.rank = static_cast<int>(likeness.gt(right).sum().item<std::int64_t>());
    clip.similarity = right;
    clip.similarity_to_other = (likeness.sum().item<double>() - right) / (kPeople - 1);
}

}  // namespace

ClipJudge::ClipJudge(engine::training::Judge judge, metrics::FaceEmbedder& embedder)
    : judge_(std::move(judge)), embedder_(embedder), gallery_(gallery_of(judge_)) {}

// A face whose landmarks cannot be aligned has no embedding.
std::vector<std::vector<float>> ClipJudge::model_embeddings(const std::vector<Frame>& frames,
                                                            const std::vector<FaceBox>& faces) {
    std::vector<std::vector<float>> rows(frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto aligned = face::align_face(frames[i], faces[i].landmarks, kAlignedSide);
        if (aligned) rows[i] = embedder_.embed({&aligned.value(), 1}).at(0);
    }
    return rows;
}

const ClipJudge::References& ClipJudge::references_of(int person, const std::vector<Frame>& pictures) {
    const auto known = references_.find(person);
    if (known != references_.end()) return known->second;
    References references;
    for (const Frame& picture : pictures) {
        const std::vector<Frame> one = {picture};
        const Verdict verdict = judge_.look_at(one);
        references.by_judge.push_back({verdict.faces[0], row_of(verdict.identity)});
        const auto embedding = model_embeddings(one, verdict.faces)[0];
        if (!embedding.empty()) references.by_model.push_back({verdict.faces[0], embedding});
    }
    return references_.emplace(person, std::move(references)).first->second;
}

JudgedClip ClipJudge::judged(const ProofClip& plan, const std::vector<Frame>& frames,
                             const std::vector<Frame>& references) {
    const References& person = references_of(plan.person, references);
    const Verdict verdict = judge_.look_at(frames);
    JudgedClip clip;
    clip.plan = plan;
    clip.action = verdict.action;
    clip.place = verdict.place;
    clip.style = verdict.style;
    clip.identity = row_of(verdict.frame_identities.mean(0));
    clip.frames = static_cast<int>(frames.size());
    find_in_gallery(clip, gallery_, verdict.identity);
    const auto seen = observed(frames, verdict.faces, judge_embeddings(verdict));
    clip.by_judge = metrics::scores_of(person.by_judge, seen, {});
    clip.by_judge.dynamic = movement_of(frames);
    clip.by_model = metrics::scores_of(person.by_model,
                                       observed(frames, verdict.faces, model_embeddings(frames, verdict.faces)), {});
    return clip;
}

// The mean m of T vectors of length 1 holds all their products: T^2 m m = T + the sum over different frames.
double similarity_within(const JudgedClip& clip) {
    const double count = clip.frames;
    if (clip.frames < 2) return 1;
    return (count * dot(clip.identity, clip.identity) - 1) / (count - 1);
}

GroupScores scores_of_group(const std::string& group, const std::vector<JudgedClip>& clips) {
    GroupScores scores;
    scores.group = group;
    metrics::Series id_judge, id_model, decay_judge, decay_model, fm_ref, fm_inter, within;
    for (const JudgedClip& clip : clips) {
        if (clip.plan.group != group) continue;
        ++scores.clips;
        scores.top_1 += clip.is_identified();
        scores.top_5 += clip.rank < 5;
        scores.action += clip.has_action();
        scores.place += clip.has_place();
        scores.both += clip.has_action() && clip.has_place();
        scores.style += clip.has_style();
        scores.similarity += clip.similarity;
        scores.similarity_to_other += clip.similarity_to_other;
        scores.dynamic += clip.by_judge.dynamic.dynamic;
        scores.flow_speed += clip.by_judge.dynamic.speed;
        id_judge.push_back(clip.by_judge.id_similarity);
        id_model.push_back(clip.by_model.id_similarity);
        decay_judge.push_back(clip.by_judge.decay);
        decay_model.push_back(clip.by_model.decay);
        fm_ref.push_back(clip.by_judge.fm_ref);
        fm_inter.push_back(clip.by_judge.fm_inter);
        within.emplace_back(similarity_within(clip));
    }
    for (double* sum : {&scores.top_1, &scores.top_5, &scores.action, &scores.place, &scores.both, &scores.style,
                        &scores.similarity, &scores.similarity_to_other, &scores.dynamic, &scores.flow_speed})
        *sum /= std::max(scores.clips, 1);
    scores.id_sim_judge = metrics::mean_of(id_judge);
    scores.id_sim_model = metrics::mean_of(id_model);
    scores.decay_judge = metrics::mean_of(decay_judge);
    scores.decay_model = metrics::mean_of(decay_model);
    scores.fm_ref = metrics::mean_of(fm_ref);
    scores.fm_inter = metrics::mean_of(fm_inter);
    scores.within_shot = metrics::mean_of(within);
    return scores;
}

std::optional<double> similarity_across_shots(const std::string& group, const std::vector<JudgedClip>& clips) {
    metrics::Series pairs;
    for (std::size_t i = 0; i < clips.size(); ++i)
        for (std::size_t j = i + 1; j < clips.size(); ++j)
            if (clips[i].plan.group == group && clips[j].plan.group == group &&
                clips[i].plan.person == clips[j].plan.person)
                pairs.emplace_back(dot(clips[i].identity, clips[j].identity));
    return metrics::mean_of(pairs);
}

}  // namespace mirror::proof
