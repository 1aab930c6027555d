#pragma once

// From noise to latents: the base model alone, or with a person. Previews and progress on the way.

#include <ATen/ATen.h>

#include "engine/core/request.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/identity_model.h"
#include "engine/session/people.h"
#include "engine/session/run_context.h"
#include "engine/session/run_models.h"

namespace mirror::engine {

SharedColours preview_colours(RunModels& models, RunContext& run);

struct PersonRun {
    const magic_mirror::AdapterFile& adapter;
    PersonFeatures person;
    magic_mirror::IdentityPrompts prompts;
    magic_mirror::ActiveSteps active;
};

// Both give [1, C, F, h, w], float32 on the CPU, padding included.
at::Tensor denoise_base(RunModels& models, const GenerationRequest& request,
                        const magic_mirror::IdentityPrompts& prompts, const SharedColours& colours, RunContext& run);
at::Tensor denoise_person(RunModels& models, const GenerationRequest& request, const PersonRun& person,
                          const SharedColours& colours, RunContext& run);

}  // namespace mirror::engine
