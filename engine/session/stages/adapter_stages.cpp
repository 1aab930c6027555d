// Magic Mirror inside the transformer, and around it from noise to latents.

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/identity/magic_mirror/identity_model.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/samplers/denoise.h"
#include "engine/session/stages/adapter_parts.h"
#include "engine/session/stages/stage.h"
#include "engine/session/stages/stage_parts.h"

namespace mirror::engine::stages {

namespace {

namespace mm = magic_mirror;

at::Tensor id_embeds_of(const StageRun& run, const mm::AdapterConfig& config) {
    if (!config.switches.can && !run.inputs.has("id_embeds")) return {};
    return run.floats("id_embeds", {kAny, config.perceiver_id.tokens, config.perceiver_id.width});
}

at::Tensor face_tokens_of(const StageRun& run, const mm::AdapterConfig& config) {
    const bool needed = config.switches.face_in_sa || config.switches.face_in_ca;
    if (!needed && !run.inputs.has("face_tokens")) return {};
    return run.floats("face_tokens", {1, kAny, config.dit.width()});
}

at::Tensor adapter_mask_of(const StageRun& run, std::int64_t batch) {
    if (!run.inputs.has("adapter_mask")) return {};
    const at::Tensor mask = run.integers("adapter_mask", {batch});
    if (at::logical_and(mask.ne(0), mask.ne(1)).any().item<bool>())
        throw EngineError(ErrorCode::InvalidRequest, "input 'adapter_mask' holds a value other than 0 and 1");
    return mask;
}

void decode_if_possible(StageRun& run, const ModelFolder& folder, const at::Tensor& latents) {
    if (folder.has("vae")) run.output("frames", decoded_frames(run, folder, latents, 0));
}

}  // namespace

void conditioned_norm(StageRun& run) {
    const auto adapter = open_adapter(run, BaseModel::Loaded);
    const mm::AdapterConfig& config = adapter.config();
    const ModelFolder folder = model_of(run);
    const auto base = folder.transformer_config();
    const at::Tensor temb = run.floats("temb", {kAny, config.dit.time_embed_dim});
    const at::Tensor id_embeds = id_embeds_of(run, config);
    const mm::CrossModalAdapter cross_modal(adapter.weights(run.placement), config);
    at::Tensor id_vector;
    if (config.switches.can) id_vector = cross_modal.id_proj(id_embeds);

    const WeightScope blocks = WeightScope(folder.store("transformer"), run.placement) / "transformer_blocks";
    std::vector<at::Tensor> before, delta, after, face;
    for (const std::int64_t layer : config.adapted_layers()) {
        const cogvideox::Block block(blocks / layer, base);
        auto modulation = mm::adapted_modulation(cross_modal, block, layer, temb, id_vector, config.switches.can_scale);
        before.push_back(modulation.base);
        delta.push_back(modulation.delta);
        after.push_back(modulation.modulation);
        face.push_back(modulation.face);
    }
    if (id_vector.defined()) run.output("id_vector", id_vector);
    run.output("base", at::stack(before));
    run.output("delta", at::stack(delta));
    run.output("modulation", at::stack(after));
    run.output("face_modulation", at::stack(face));
}

void mm_transformer(StageRun& run) {
    const auto adapter = open_adapter(run, BaseModel::Loaded);
    const mm::AdapterConfig& config = adapter.config();
    cogvideox::TransformerInput input;
    input.hidden_states = run.floats("hidden_states", {kAny, kAny, config.dit.in_channels, kAny, kAny});
    const std::int64_t batch = input.hidden_states.size(0);
    input.encoder_hidden_states = run.floats("encoder_hidden_states", {batch, kAny, config.dit.text_embed_dim});
    input.timestep = run.integers("timestep", {batch});
    const at::Tensor mask = adapter_mask_of(run, batch);

    const mm::CrossModalAdapter cross_modal(adapter.weights(run.placement), config);
    auto conditioning = mm::make_conditioning(cross_modal, id_embeds_of(run, config), face_tokens_of(run, config));
    mm::MagicMirrorHook hook(cross_modal, std::move(conditioning), mm::Strength::of(config.switches));
    run.output("sample", mm::forward_with_adapter(model_of(run).transformer(), input, hook, mask));
}

void mm_text_to_video(StageRun& run) {
    const auto adapter = open_adapter(run, BaseModel::Loaded);
    const mm::AdapterConfig& config = adapter.config();
    const int steps = checked_steps(run);
    const Guidance guidance = checked_guidance(run);
    const at::Tensor latents = run.floats("latents", {1, kAny, config.dit.in_channels, kAny, kAny});

    mm::IdentityModel model;
    model.prompts.fused = run.floats("prompt_embeds", {1, kAny, config.dit.text_embed_dim});
    const std::vector<std::int64_t> prompt_shape = model.prompts.fused.sizes().vec();
    if (guidance.is_enabled()) model.prompts.negative = run.floats("negative_prompt_embeds", prompt_shape);
    if (config.switches.start_merge_step > 0) model.prompts.plain = run.floats("plain_prompt_embeds", prompt_shape);
    model.active.first = config.switches.start_merge_step;
    model.unconditional = config.switches.cfg_uncond_face;
    model.strength = mm::Strength::of(config.switches);

    const ModelFolder folder = model_of(run);
    const auto sampler = make_sampler(run.options.sampler, folder.schedule(), steps);
    const NoiseSource noise = noise_from_inputs(run, steps, latents.sizes());
    const mm::CrossModalAdapter cross_modal(adapter.weights(run.placement), config);
    model.conditioning = mm::make_conditioning(cross_modal, id_embeds_of(run, config), face_tokens_of(run, config));
    const cogvideox::Transformer transformer = folder.transformer();
    model.adapter = &cross_modal;
    model.transformer = &transformer;
    model.positions = transformer.positions({latents.size(1), latents.size(3), latents.size(4)});

    const at::Tensor denoised = denoise(*sampler, latents, {model, guidance, noise, {}, run.stop});
    decode_if_possible(run, folder, denoised);
    run.output("latents", denoised);
}

}  // namespace mirror::engine::stages
