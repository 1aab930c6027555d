// Magic Mirror before the transformer: what is read from the references, and how it gets into the prompt.

#include <optional>

#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/trigger.h"
#include "engine/session/stages/adapter_parts.h"
#include "engine/session/stages/stage.h"
#include "engine/session/stages/stage_parts.h"

namespace mirror::engine::stages {

namespace {

namespace mm = magic_mirror;

constexpr std::int64_t kMostReferences = 1000;

std::optional<mm::AdapterFile> optional_adapter(StageRun& run) {
    if (run.options.adapter.empty()) return std::nullopt;
    return open_adapter(run, BaseModel::NotLoaded);
}

const mm::AdapterFile* pointer(const std::optional<mm::AdapterFile>& adapter) { return adapter ? &*adapter : nullptr; }

// The input that carries the CLIP layer a switch names.
std::string tap_name(std::int64_t layer) { return layer == -1 ? "last_hidden_state" : "penultimate"; }

}  // namespace

void clip_vision(StageRun& run) {
    const auto adapter = optional_adapter(run);
    switches_of(run, pointer(adapter));
    const bool bundled = adapter && adapter->has_clip_vision();
    const mm::ClipVision tower =
        bundled ? mm::ClipVision(adapter->clip_vision(run.placement), adapter->config().clip_vision)
                : model_of(run).clip_vision();
    const std::int64_t side = tower.shape.image_size;
    const mm::ClipFeatures features = tower(run.floats("pixel_values", {kAny, 3, side, side}));
    run.output("last_hidden_state", features.last_hidden_state);
    run.output("penultimate", features.penultimate);
}

void perceiver_id(StageRun& run) {
    const auto adapter = optional_adapter(run);
    const mm::Switches switches = switches_of(run, pointer(adapter));
    mm::PerceiverIdConfig config;
    const bool bundled = adapter && adapter->has_perceiver_id();
    if (bundled)
        config = {adapter->config().perceiver_id, adapter->config().clip_vision.hidden_size};
    else
        config = model_of(run).perceiver_id_config();
    const at::Tensor embedding = run.floats("face_embedding", {kAny, config.shape.id_dim});
    const at::Tensor tokens =
        run.floats(tap_name(switches.id_vit_layer), {embedding.size(0), kAny, config.clip_hidden_size});
    const mm::PerceiverId perceiver =
        bundled ? mm::PerceiverId(adapter->perceiver_id(run.placement), config) : model_of(run).perceiver_id();
    run.output("id_embeds", perceiver(embedding, tokens));
}

void perceiver_face(StageRun& run) {
    const auto adapter = open_adapter(run, BaseModel::NotLoaded);
    const mm::AdapterConfig& config = adapter.config();
    const at::Tensor tokens =
        run.floats(tap_name(config.switches.face_vit_layer), {kAny, kAny, config.clip_vision.hidden_size});
    const mm::PerceiverFace perceiver(adapter.weights(run.placement) / "perceiver_face", config);
    run.output("face_tokens", perceiver(tokens));
}

void fuse(StageRun& run) {
    const auto adapter = open_adapter(run, BaseModel::NotLoaded);
    const mm::AdapterConfig& config = adapter.config();
    const at::Tensor prompt = run.floats("prompt_embeds", {1, kAny, config.dit.text_embed_dim});
    const at::Tensor identity = run.floats("id_embeds", {kAny, config.perceiver_id.tokens, config.perceiver_id.width});
    const at::Tensor mask = run.integers("identity_mask", {1, prompt.size(1)});
    if (at::logical_and(mask.ne(0), mask.ne(1)).any().item<bool>())
        throw EngineError(ErrorCode::InvalidRequest, "input 'identity_mask' holds a value other than 0 and 1");
    const mm::Fusion fusion(adapter.weights(run.placement) / "fuse", config);
    run.output("prompt_embeds", fusion(prompt, identity, mask));
}

void mm_tokenize(StageRun& run) {
    const std::int64_t length = checked_max_length(run);
    if (run.options.references < 1 || run.options.references > kMostReferences)
        refuse_option("--references", "a whole number from 1 to " + std::to_string(kMostReferences));
    const auto adapter = optional_adapter(run);
    const mm::Switches switches = switches_of(run, pointer(adapter));
    const ModelFolder folder = model_of(run);
    std::int64_t copies = mm::PerceiverIdShape{}.tokens;
    if (adapter)
        copies = adapter->config().perceiver_id.tokens;
    else if (folder.has("id_perceiver"))
        copies = folder.perceiver_id_config().shape.tokens;
    if (switches.multi_ref_text == mm::MultiRefText::Stack) copies *= run.options.references;

    const auto prompt = mm::tokenize_identity_prompt(folder.tokenizer(), run.options.texts.front(),
                                                     switches.trigger_word, copies, length);
    run.warnings.insert(run.warnings.end(), prompt.warnings.begin(), prompt.warnings.end());
    run.output("input_ids", prompt.input_ids);
    run.output("identity_mask", prompt.identity_mask);
    run.output("plain_input_ids", prompt.plain_input_ids);
}

}  // namespace mirror::engine::stages
