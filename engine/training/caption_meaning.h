#pragma once

// What is trained beside a text encoder and thrown away afterwards: every token of a drawn person's caption must tell
// the action and the place. A text encoder that begins from nothing has no reason to put "waves" beside "greets";
// this gives it one, and the transformer finds the action in whatever token it looks at.

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "engine/tensor/layers.h"
#include "engine/training/people/people.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine::training {

struct CaptionMeaning {
    CaptionMeaning(const WeightScope& weights, std::int64_t width);

    // text [B, L, width] of ids [B, L], 0 where there is no token; a scene of each row. The cross entropy: mean over
    // the tokens of a row, then over the rows.
    at::Tensor loss(const at::Tensor& text, const at::Tensor& ids,
                    const std::vector<people::SceneRequest>& scenes) const;

    // The shares of tokens whose highest scores are right: of the action, of the place.
    std::pair<double, double> right(const at::Tensor& text, const at::Tensor& ids,
                                    const std::vector<people::SceneRequest>& scenes) const;

    Linear out;  // Scores of the actions, then of the places.
};

}  // namespace mirror::engine::training
