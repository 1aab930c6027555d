#pragma once

// From the words of a request to the vectors that the transformer reads.

#include <ATen/ATen.h>

#include <optional>
#include <string>

#include "engine/core/request.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/identity_model.h"
#include "engine/session/run_context.h"
#include "engine/session/run_models.h"

namespace mirror::engine {

// Whose copies of the class word go into the prompt.
struct PromptPerson {
    const magic_mirror::AdapterFile* adapter = nullptr;
    at::Tensor id_embeds;  // [N, K, c]
    double strength = 1.0;
};

// `trigger` marks the person in the prompt. `fused` is undefined without a person. The prompt without copies is the
// cleaned one either way.
magic_mirror::IdentityPrompts encode_prompts(RunModels& models, const GenerationRequest& request,
                                             const std::string& trigger, const std::optional<PromptPerson>& person,
                                             RunContext& run);

}  // namespace mirror::engine
