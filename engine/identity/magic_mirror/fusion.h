#pragma once

// Writes identity into the text embedding: at every marked position an identity token and the text vector become a new
// text vector. The layout is that of PhotoMaker's FuseModule, re-dimensioned to the T5 space.

#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/tensor/layers.h"

namespace mirror::engine::magic_mirror {

struct FusionMlp {
    FusionMlp(const WeightScope& weights, std::int64_t inputs, std::int64_t width);
    at::Tensor operator()(const at::Tensor& x) const;

    LayerNorm norm;
    Linear fc1;
    Linear fc2;
};

struct Fusion {
    // `weights` is the scope `fuse` of an adapter file.
    Fusion(const WeightScope& weights, const AdapterConfig& config);

    // prompt_embeds [1, L, e], id_embeds [N, K, c], identity_mask [1, L] of zeros and ones -> [1, L, e]. Unmarked rows
    // are the input bit for bit. `strength` in 0..1 moves the marked rows from the text vector to the fused one. With
    // no mark, text_fuse=off or strength 0 the result is the input. A wrong number of marks is refused as
    // `identity_mask`.
    at::Tensor operator()(const at::Tensor& prompt_embeds, const at::Tensor& id_embeds, const at::Tensor& identity_mask,
                          double strength = 1.0) const;

    // text [M, e] and identity [M, c] of marked positions -> [M, e].
    at::Tensor fuse(const at::Tensor& text, const at::Tensor& identity) const;

    bool enabled;
    MultiRefText multi_ref;
    FusionMlp mlp1;
    FusionMlp mlp2;
    LayerNorm norm;  // Width 0 with fuse_out_norm=none.
};

}  // namespace mirror::engine::magic_mirror
