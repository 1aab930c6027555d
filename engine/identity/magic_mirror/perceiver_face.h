#pragma once

// The trainable face perceiver: T learnable queries read the penultimate CLIP layer and become tokens of the DiT's
// width.

#include <vector>

#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/identity/magic_mirror/perceiver_layers.h"

namespace mirror::engine::magic_mirror {

struct PerceiverFace {
    // `weights` is the scope `perceiver_face` of an adapter file.
    PerceiverFace(const WeightScope& weights, const AdapterConfig& config);

    // [N, P, w] of all references -> [1, N*T, d], reference 0 first; [1, T, d] with multi_ref_face=mean.
    at::Tensor operator()(const at::Tensor& clip_tokens) const;
    // The tokens of each reference by itself, [N, T, d].
    at::Tensor each(const at::Tensor& clip_tokens) const;

    PerceiverFaceShape shape;
    MultiRefFace multi_ref;
    at::Tensor queries;   // [T, width]
    at::Tensor position;  // [T, d] with face_rope=learned_pos, else undefined
    Linear proj_in;
    std::vector<PerceiverLayer> layers;
    Linear proj_out;
    LayerNorm norm_out;
};

}  // namespace mirror::engine::magic_mirror
