#pragma once

// The CLIP vision tower that both perceivers read: dense tokens of its last two layers, without the post-LayerNorm.
// Numerics of transformers' modeling_clip.py (CLIPVisionTransformer); no projection head.

#include <vector>

#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/tensor/layers.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine {
class ConfigReader;
}

namespace mirror::engine::magic_mirror {

// The image_encoder folder's config.json. EngineError names file and key; other activations and epsilons are refused.
ClipVisionShape read_clip_vision_config(const ConfigReader& reader);

// How to open the tower's file: published files have the prefix `vision_model.`, transformers 5 saves without; the
// projection and position buffers are passed over.
WeightStoreOptions clip_vision_store();

struct ClipLayer {
    ClipLayer(const WeightScope& weights, const ClipVisionShape& shape);
    at::Tensor operator()(const at::Tensor& hidden) const;  // [N, P, w] -> [N, P, w]

    std::int64_t heads;
    LayerNorm layer_norm1;
    Linear q_proj;
    Linear k_proj;
    Linear v_proj;
    Linear out_proj;
    LayerNorm layer_norm2;
    Linear fc1;
    Linear fc2;
};

struct ClipFeatures {
    at::Tensor last_hidden_state;  // [N, P, w], output of the last layer
    at::Tensor penultimate;        // [N, P, w], output of the layer before
};

struct ClipVision {
    ClipVision(const WeightScope& weights, const ClipVisionShape& vision_shape);

    // [N, 3, image_size, image_size], already normalised; another size is refused by the tensor's name.
    ClipFeatures operator()(const at::Tensor& pixel_values) const;
    // What the published tower calls its pooled output: the post-LayerNorm of the class token, [N, w].
    at::Tensor pooled(const at::Tensor& last_hidden_state) const;

    ClipVisionShape shape;
    at::Tensor class_embedding;     // [w]
    at::Tensor patch_embedding;     // [w, 3, patch, patch]
    at::Tensor position_embedding;  // [P, w]
    LayerNorm pre_layrnorm;         // The published name, spelt so.
    std::vector<ClipLayer> layers;
    LayerNorm post_layernorm;
};

// The tap a switch names: -1 the last layer, -2 the one before.
const at::Tensor& tap(const ClipFeatures& features, std::int64_t layer);

// 8-bit pictures as the tower wants them: [N, H, W, 3] uint8 -> [N, 3, H, W] float32, scaled to 0..1 and normalised
// with the published mean and deviation. Cropping and resizing come before.
at::Tensor clip_pixel_values(const at::Tensor& pictures);

}  // namespace mirror::engine::magic_mirror
