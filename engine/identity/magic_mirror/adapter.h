#pragma once

// All trainable parts of Magic Mirror as they lie in one adapter file. A stage that needs a single part constructs that
// part; constructing them all on a ShapeRecorder says which tensors a configuration has.

#include <map>
#include <string>
#include <vector>

#include "engine/formats/safetensors.h"
#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/identity/magic_mirror/conditioned_norm.h"
#include "engine/identity/magic_mirror/fusion.h"
#include "engine/identity/magic_mirror/perceiver_face.h"

namespace mirror::engine::magic_mirror {

// What one adapted block has of its own.
struct AdaptedBlock {
    // `weights` is the scope `blocks.{l}`.
    AdaptedBlock(const WeightScope& weights, const AdapterConfig& config);

    ConditionPredictor mod_cond;
    FacePredictor mod_face;
    Linear to_k;
    Linear to_v;
    LayerNorm norm_k;    // Width 0 unless ca_key_norm=own.
    LayerNorm face_ln1;  // Width 0 unless face_ln=own, as the next.
    LayerNorm face_ln2;
};

// What acts inside the transformer.
struct CrossModalAdapter {
    // `weights` is the root scope of an adapter file.
    CrossModalAdapter(const WeightScope& weights, const AdapterConfig& adapter_config);

    AdapterConfig config;
    IdProjection id_proj;
    std::map<std::int64_t, AdaptedBlock> blocks;  // By the transformer's own block index.
};

struct Adapter {
    // `weights` is the root scope of an adapter file.
    Adapter(const WeightScope& weights, const AdapterConfig& config);

    PerceiverFace perceiver_face;
    Fusion fuse;
    CrossModalAdapter cross_modal;
};

// Every tensor that a file with this configuration holds, and no other.
std::vector<ShapeRecorder::Entry> adapter_tensors(const AdapterConfig& config);
std::int64_t parameter_count(const std::vector<ShapeRecorder::Entry>& tensors);

// What the file says about itself beyond its configuration. Empty fields are left out.
struct AdapterOrigin {
    std::string id_pack = "buffalo_l/w600k_r50";
    std::string id_pack_sha256;
    std::string base_model_sha256;
    std::string clip_sha256;
    std::string perceiver_id_sha256;
    std::string dtype = "bf16";
    std::string stage = "video";
    std::string text_encoder = "t5-v1_1-xxl-encoder";
    std::map<std::string, std::string> further;  // license, dataset_card, train_steps ...
};

// The metadata of a new adapter file.
formats::Metadata adapter_metadata(const AdapterConfig& config, const AdapterOrigin& origin);

}  // namespace mirror::engine::magic_mirror
