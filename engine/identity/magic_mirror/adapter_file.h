#pragma once

// Opens an adapter file (one .safetensors, or the .index.json of its shards) and refuses, in a fixed order and by name,
// what cannot be used: the file, a metadata field, a key or switch of its configuration, the base model, a tensor.

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/backbones/cogvideox/config.h"
#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine::magic_mirror {

struct AdapterOpening {
    SwitchOverrides overrides;  // --set
    std::string id_pack;        // The recogniser in use; empty: nothing is compared.
    bool allow_id_pack_mismatch = false;
    // The base model, in stages that load it; its fingerprint may be empty, then nothing is compared.
    std::optional<cogvideox::TransformerConfig> base;
    std::string base_fingerprint;
    bool finite = false;   // A NaN or an infinity in a tensor that is read is refused by name.
    std::stop_token stop;  // Reading weights ends as Cancelled.
};

class AdapterFile {
public:
    // EngineError (MissingFile, MalformedFile, MissingTensor, ShapeMismatch, InvalidRequest).
    static AdapterFile open(const std::filesystem::path& file, const AdapterOpening& opening = {});

    // Overrides applied.
    const AdapterConfig& config() const { return config_; }
    const formats::Metadata& metadata() const { return store_->metadata(); }
    const std::filesystem::path& file() const { return store_->file(); }
    const std::vector<std::string>& warnings() const { return warnings_; }  // One sentence each.

    // The root scope: `perceiver_face.*`, `fuse.*`, `can.*`, `blocks.*`.
    WeightScope weights(Placement placement) const { return {store_, placement}; }

    // Bundled frozen parts; these win over the model folder.
    bool has_clip_vision() const { return has_clip_vision_; }
    bool has_perceiver_id() const { return has_perceiver_id_; }
    WeightScope clip_vision(Placement placement) const { return weights(placement) / "frozen.clip_vision"; }
    WeightScope perceiver_id(Placement placement) const { return weights(placement) / "frozen.perceiver_id"; }

    std::string fingerprint() const { return store_->fingerprint(); }

private:
    AdapterFile() = default;

    std::shared_ptr<WeightStore> store_;
    AdapterConfig config_;
    bool has_clip_vision_ = false;
    bool has_perceiver_id_ = false;
    std::vector<std::string> warnings_;
};

// Whether Magic Mirror is defined on this base (from text alone, rotary positions, no patch_size_t, no ofs_embed_dim)
// and the adapter was made for its sizes. EngineError names the field (`patch_size_t`, `dit.num_layers`).
void check_base_model(const AdapterConfig& config, const cogvideox::TransformerConfig& base);

// The adapter's view of a base model.
DitShape dit_shape_of(const cogvideox::TransformerConfig& base);

}  // namespace mirror::engine::magic_mirror
