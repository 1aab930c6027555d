#pragma once

// From noise to latents: the base model alone, or with a person. Previews and progress on the way.

#include <ATen/ATen.h>

#include <memory>

#include "engine/core/request.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/identity_model.h"
#include "engine/session/latent_colours.h"
#include "engine/session/model_folder.h"
#include "engine/session/people.h"
#include "engine/session/run_context.h"

namespace mirror::engine {

// Null if nobody wants previews.
using SharedColours = std::shared_ptr<const LatentColours>;
SharedColours preview_colours(const ModelFolder& folder, RunContext& run);

struct PersonRun {
    const magic_mirror::AdapterFile& adapter;
    PersonFeatures person;
    magic_mirror::IdentityPrompts prompts;
    magic_mirror::ActiveSteps active;
};

// Both give [1, C, F, h, w], float32 on the CPU, padding included.
at::Tensor denoise_base(const ModelFolder& folder, const GenerationRequest& request,
                        const magic_mirror::IdentityPrompts& prompts, const SharedColours& colours, RunContext& run);
at::Tensor denoise_person(const ModelFolder& folder, const GenerationRequest& request, const PersonRun& person,
                          const SharedColours& colours, RunContext& run);

}  // namespace mirror::engine
