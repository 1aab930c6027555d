#include "engine/identity/magic_mirror/adapter.h"

#include <memory>

namespace mirror::engine::magic_mirror {

namespace {

constexpr double kHeadEpsilon = 1e-6;  // As the base model's norms of every head.
constexpr double kRowEpsilon = 1e-5;   // As the base model's norms of rows.

std::map<std::int64_t, AdaptedBlock> make_blocks(const WeightScope& weights, const AdapterConfig& config) {
    std::map<std::int64_t, AdaptedBlock> blocks;
    for (const std::int64_t layer : config.adapted_layers())
        blocks.emplace(layer, AdaptedBlock(weights / layer, config));
    return blocks;
}

}  // namespace

AdaptedBlock::AdaptedBlock(const WeightScope& weights, const AdapterConfig& config)
    : mod_cond(weights / "mod_cond", config),
      mod_face(weights / "mod_face", config),
      to_k(weights / "attn_ca" / "to_k", config.dit.width(), config.dit.width()),
      to_v(weights / "attn_ca" / "to_v", config.dit.width(), config.dit.width()) {
    if (config.switches.ca_key_norm == CaKeyNorm::Own) {
        norm_k = LayerNorm(weights / "attn_ca" / "norm_k", config.dit.attention_head_dim, kHeadEpsilon);
    }
    if (config.switches.face_ln == FaceNorm::Own) {
        face_ln1 = LayerNorm(weights / "face_ln1", config.dit.width(), kRowEpsilon);
        face_ln2 = LayerNorm(weights / "face_ln2", config.dit.width(), kRowEpsilon);
    }
}

CrossModalAdapter::CrossModalAdapter(const WeightScope& weights, const AdapterConfig& adapter_config)
    : config(adapter_config),
      id_proj(weights / "can" / "id_proj", config),
      blocks(make_blocks(weights / "blocks", config)) {}

Adapter::Adapter(const WeightScope& weights, const AdapterConfig& config)
    : perceiver_face(weights / "perceiver_face", config),
      fuse(weights / "fuse", config),
      cross_modal(weights, config) {}

std::vector<ShapeRecorder::Entry> adapter_tensors(const AdapterConfig& config) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    const Adapter adapter(WeightScope(recorder, {}), config);
    return recorder->entries();
}

std::int64_t parameter_count(const std::vector<ShapeRecorder::Entry>& tensors) {
    std::int64_t count = 0;
    for (const auto& entry : tensors) count += c10::multiply_integers(entry.shape);
    return count;
}

formats::Metadata adapter_metadata(const AdapterConfig& config, const AdapterOrigin& origin) {
    formats::Metadata metadata(origin.further.begin(), origin.further.end());
    const auto put = [&](const std::string& field, const std::string& value) {
        if (!value.empty()) metadata[field] = value;
    };
    put("format", "magic-mirror-adapter");
    put("format_version", "1");
    put("arch", arch_of(config));
    put("base_model_sha256", origin.base_model_sha256);
    put("text_encoder", origin.text_encoder + ", max length " + std::to_string(config.dit.max_text_seq_length));
    put("config", to_json(config));
    put("stage", origin.stage);
    put("trigger_word", config.switches.trigger_word);
    put("id_pack", origin.id_pack);
    put("id_pack_sha256", origin.id_pack_sha256);
    put("id_embedding_norm", "raw");
    put("clip_sha256", origin.clip_sha256);
    put("perceiver_id_sha256", origin.perceiver_id_sha256);
    put("clip_layers", clip_layers_of(config.switches));
    put("ref_crop", ref_crop_of(config.switches));
    put("dtype", origin.dtype);
    put("ai_content_notice", "true");
    return metadata;
}

}  // namespace mirror::engine::magic_mirror
