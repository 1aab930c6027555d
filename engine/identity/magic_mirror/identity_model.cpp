#include "engine/identity/magic_mirror/identity_model.h"

#include <algorithm>

#include "engine/core/result.h"

namespace mirror::engine::magic_mirror {

ActiveSteps active_steps(const IdentityStrength& wish, const Switches& switches) {
    if (wish.value <= 0) return {0, -1};
    ActiveSteps active;
    active.first = std::max<std::int64_t>(wish.first_step - 1, switches.start_merge_step);
    if (wish.last_step) active.last = *wish.last_step - 1;
    return active;
}

void check_prompts(const IdentityPrompts& prompts, const ActiveSteps& active, std::int64_t steps) {
    const bool always = active.contains(0) && active.contains(steps - 1);
    if (!always && !prompts.plain.defined()) {
        throw EngineError(ErrorCode::InvalidRequest,
                          "plain_prompt_embeds is missing, which the steps without the adapter need");
    }
}

at::Tensor IdentityModel::operator()(const DenoiseStep& step, const at::Tensor& latents) const {
    const bool on = active.contains(step.step);
    const at::Tensor& positive = on ? prompts.fused : prompts.plain;
    const bool guided = prompts.negative.defined();
    const std::int64_t rows = guided ? 2 : 1;

    cogvideox::TransformerInput call;
    call.hidden_states = guided ? at::cat({latents, latents}, 0) : latents;
    call.encoder_hidden_states = guided ? at::cat({prompts.negative, positive}, 0) : positive;
    call.timestep = at::full({rows}, step.timestep, latents.options().dtype(at::kLong));
    call.positions = &positions;
    call.step = step.step;
    if (!on) return transformer->forward(call);

    at::Tensor mask = at::ones({rows}, at::kLong);
    if (guided && unconditional == UnconditionalFace::Drop) mask[0].fill_(0);
    MagicMirrorHook hook(*adapter, conditioning, strength);
    return forward_with_adapter(*transformer, call, hook, mask);
}

}  // namespace mirror::engine::magic_mirror
