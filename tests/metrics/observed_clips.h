#pragma once

// Observations with few, round numbers.

#include <vector>

#include "engine/metrics/observation.h"

namespace mirror::metrics::testing {

// A face in a box of 100 x 100 at (x, y): the eyes at 30 and 70, 40 down, and so on.
inline FaceSeen face_at(double x, double y, std::vector<float> embedding, double score = 0.9) {
    FaceSeen face;
    face.box = {x, y, x + 100, y + 100, score, {}};
    face.box.landmarks = {{{x + 30, y + 40}, {x + 70, y + 40}, {x + 50, y + 60}, {x + 35, y + 80}, {x + 65, y + 80}}};
    face.embedding = std::move(embedding);
    return face;
}

inline ObservedClip clip_of(const std::vector<std::optional<FaceSeen>>& faces) {
    ObservedClip clip{200, 400, {}};
    for (const auto& face : faces) clip.frames.push_back({static_cast<std::int64_t>(clip.frames.size()), face});
    return clip;
}

}  // namespace mirror::metrics::testing
