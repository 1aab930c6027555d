#include "engine/training/caption_meaning.h"

#include <ATen/core/Reduction.h>

namespace mirror::engine::training {

namespace {

// The tokens of all captions one below the other, with what they should tell.
struct Tokens {
    Tokens(const CaptionMeaning& meaning, const at::Tensor& text, const at::Tensor& ids,
           const std::vector<people::SceneRequest>& scenes) {
        std::vector<std::int64_t> actions, places;
        for (const people::SceneRequest& scene : scenes) {
            actions.push_back(static_cast<std::int64_t>(scene.action));
            places.push_back(static_cast<std::int64_t>(scene.place));
        }
        const at::Tensor found = ids.ne(0).nonzero();  // [N, 2]: row and column
        row = found.select(1, 0);
        scores = meaning.out(text.index({row, found.select(1, 1)})).to(at::kFloat);
        action = at::tensor(actions, at::kLong).to(ids.device()).index_select(0, row);
        place = at::tensor(places, at::kLong).to(ids.device()).index_select(0, row);
    }

    at::Tensor of_actions() const { return scores.narrow(1, 0, people::kActions); }
    at::Tensor of_places() const { return scores.narrow(1, people::kActions, people::kPlaces); }

    at::Tensor row, scores, action, place;
};

at::Tensor each_cross_entropy(const at::Tensor& scores, const at::Tensor& labels) {
    return at::cross_entropy_loss(scores, labels, {}, at::Reduction::None);
}

double share_right(const at::Tensor& scores, const at::Tensor& labels) {
    return scores.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
}

}  // namespace

CaptionMeaning::CaptionMeaning(const WeightScope& weights, std::int64_t width)
    : out(weights, width, people::kActions + people::kPlaces) {}

at::Tensor CaptionMeaning::loss(const at::Tensor& text, const at::Tensor& ids,
                                const std::vector<people::SceneRequest>& scenes) const {
    const Tokens tokens(*this, text, ids, scenes);
    const at::Tensor losses =
        each_cross_entropy(tokens.of_actions(), tokens.action) + each_cross_entropy(tokens.of_places(), tokens.place);
    // Every caption counts alike, however long it is.
    const at::Tensor lengths = ids.ne(0).sum(1).index_select(0, tokens.row);
    return (losses / lengths).sum() / static_cast<double>(scenes.size());
}

std::pair<double, double> CaptionMeaning::right(const at::Tensor& text, const at::Tensor& ids,
                                                const std::vector<people::SceneRequest>& scenes) const {
    const Tokens tokens(*this, text, ids, scenes);
    return {share_right(tokens.of_actions(), tokens.action), share_right(tokens.of_places(), tokens.place)};
}

}  // namespace mirror::engine::training
