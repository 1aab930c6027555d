#pragma once

// Answers denoise() with a person: which prompt and which rows have the adapter in which step.

#include <ATen/ATen.h>

#include <cstdint>
#include <limits>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/core/request.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/samplers/denoise.h"

namespace mirror::engine::magic_mirror {

// Steps counted from 0, both inside. Outside them both rows are the base model, the positive one on the plain prompt.
struct ActiveSteps {
    std::int64_t first = 0;
    std::int64_t last = std::numeric_limits<std::int64_t>::max();

    bool contains(std::int64_t step) const { return step >= first && step <= last; }
};

// Where the wish of the request and the switch start_merge_step both hold; strength 0 leaves no step.
ActiveSteps active_steps(const IdentityStrength& wish, const Switches& switches);

struct IdentityPrompts {
    at::Tensor fused;     // [1, L, e]
    at::Tensor plain;     // [1, L, e], cleaned prompt without copies; needed where a step lies outside the active ones
    at::Tensor negative;  // [1, L, e]; undefined: there is no negative row
};

// A Predict. Everything pointed to outlives it.
struct IdentityModel {
    at::Tensor operator()(const DenoiseStep& step, const at::Tensor& latents) const;

    const cogvideox::Transformer* transformer = nullptr;
    const CrossModalAdapter* adapter = nullptr;
    Conditioning conditioning;
    Strength strength;
    IdentityPrompts prompts;
    ActiveSteps active;
    UnconditionalFace unconditional = UnconditionalFace::Drop;
    cogvideox::Positions positions;
};

// EngineError names `plain_prompt_embeds` where a step of `steps` lies outside `active` and it is missing.
void check_prompts(const IdentityPrompts& prompts, const ActiveSteps& active, std::int64_t steps);

}  // namespace mirror::engine::magic_mirror
