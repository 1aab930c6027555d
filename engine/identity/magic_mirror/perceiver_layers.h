#pragma once

// The block that both perceivers are made of: latents attend to [tokens ; latents], then a feed-forward. As the
// resampler of PhotoMaker V2 has it, which in turn follows Flamingo's perceiver.

#include <cstdint>

#include "engine/tensor/layers.h"

namespace mirror::engine::magic_mirror {

struct PerceiverSizes {
    std::int64_t width = 0;
    std::int64_t heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t ff_mult = 0;
};

struct PerceiverAttention {
    PerceiverAttention(const WeightScope& weights, const PerceiverSizes& sizes);
    at::Tensor operator()(const at::Tensor& tokens,
                          const at::Tensor& latents) const;  // [N, P, w], [N, T, w] -> [N, T, w]

    std::int64_t heads;
    std::int64_t head_dim;
    LayerNorm norm_kv;
    LayerNorm norm_q;
    Linear to_q;
    Linear to_kv;  // Rows: keys, then values.
    Linear to_out;
};

struct PerceiverFeedForward {
    PerceiverFeedForward(const WeightScope& weights, const PerceiverSizes& sizes);
    at::Tensor operator()(const at::Tensor& x) const;

    LayerNorm norm;
    Linear fc1;
    Linear fc2;
};

struct PerceiverLayer {
    PerceiverLayer(const WeightScope& weights, const PerceiverSizes& sizes);
    at::Tensor operator()(const at::Tensor& tokens, const at::Tensor& latents) const;

    PerceiverAttention attn;
    PerceiverFeedForward ff;
};

}  // namespace mirror::engine::magic_mirror
