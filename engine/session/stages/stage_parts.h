#pragma once

// What several stages share: checked options, noise from the inputs, the guidance batch, decoded frames.

#include "engine/samplers/guidance.h"
#include "engine/samplers/sampler.h"
#include "engine/session/model_folder.h"
#include "engine/session/stages/stage.h"

namespace mirror::engine::stages {

// Weights may be anything: a comparison wants to see what comes out.
ModelFolder model_of(const StageRun& run);

std::int64_t checked_max_length(const StageRun& run);
int checked_steps(const StageRun& run);
Guidance checked_guidance(const StageRun& run);

// EngineError (Cancelled).
void stop_if_asked(const std::stop_token& stop);

// A pattern that fits an input of any rank from 1 on.
std::vector<std::int64_t> any_rank(const StageRun& run, const std::string& name);

// Draw d of step i is noises[i, d]; DDIM needs none.
NoiseSource noise_from_inputs(const StageRun& run, int steps, at::IntArrayRef sample_shape);

// [rows, L, e]: the prompt, with guidance after the negative prompt.
at::Tensor prompt_rows(const StageRun& run, const Guidance& guidance, std::int64_t width);

// Latents [1, F, C, h, w] as the sampler left them -> [T, 3, H, W] in 0..1, float32.
at::Tensor decoded_frames(const StageRun& run, const ModelFolder& folder, const at::Tensor& latents,
                          std::int64_t padding);

}  // namespace mirror::engine::stages
