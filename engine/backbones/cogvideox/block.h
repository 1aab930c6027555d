#pragma once

// One CogVideoX block, in parts that a BlockHook may call one by one. Block::forward is made of the same parts.
//
// Source: diffusers, models/transformers/cogvideox_transformer_3d.py, models/normalization.py (CogVideoXLayerNormZero),
// models/attention_processor.py (CogVideoXAttnProcessor2_0).

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/backbones/block_hook.h"
#include "engine/backbones/cogvideox/config.h"
#include "engine/tensor/layers.h"
#include "engine/tensor/rotary.h"

namespace mirror::engine::cogvideox {

// How one stream is shifted, scaled and gated around an attention or a feed-forward.
struct Modulation {
    at::Tensor shift;  // [batch, width]
    at::Tensor scale;  // [batch, width]
    at::Tensor gate;   // [batch, width]
};

struct BlockModulation {
    Modulation video;
    Modulation text;
};

// [batch, 6 * width] -> video shift, scale, gate, text shift, scale, gate.
BlockModulation split_factors(const at::Tensor& factors);

// norm(x) * (1 + scale) + shift. Three roundings, or one where the own kernel runs (bfloat16 on a CPU). x [batch, rows,
// width]
at::Tensor modulate(const at::Tensor& x, const LayerNorm& norm, const Modulation& modulation);

// x + gate * y. Two roundings, or one where the own kernel runs.
at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y);

struct GatedAndModulated {
    at::Tensor residual;   // add_gated(x, gate, y)
    at::Tensor modulated;  // modulate(residual, norm, next)
};

// add_gated and the modulate that follows it, at the same roundings; one kernel on a CPU in bfloat16 and where the
// device plug-in has it.
GatedAndModulated add_gated_and_modulate(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y,
                                         const LayerNorm& norm, const Modulation& next);

// Predicts the modulation of both streams, and has the LayerNorm that they share.
struct AdaptiveNorm {
    AdaptiveNorm(const WeightScope& weights, const TransformerConfig& config);

    at::Tensor factors(const at::Tensor& temb) const;  // linear(silu(temb)): [batch, 6 * width]
    BlockModulation modulation(const at::Tensor& temb) const { return split_factors(factors(temb)); }

    Linear linear;
    LayerNorm norm;
};

struct Heads {
    at::Tensor query;  // [batch, heads, rows, head_dim], as are the others
    at::Tensor key;
    at::Tensor value;
};

struct Block {
    Block(const WeightScope& weights, const TransformerConfig& config);

    // Changes `text` and `video` of the state.
    void forward(ForwardState& state) const;
    // The same for `video` alone, for a last block, whose text nobody reads; the text rows are only looked at.
    void forward_video(ForwardState& state) const;

    // The parts, in the order of use. Rows are text rows followed by video rows.
    at::Tensor attend(const at::Tensor& rows, const RotaryTable& rotary, std::int64_t first_turned) const;
    Heads project_qkv(const at::Tensor& rows) const;            // rows [batch, rows, width]
    at::Tensor normalise_query(const at::Tensor& query) const;  // LayerNorm of every head
    at::Tensor normalise_key(const at::Tensor& key) const;
    Heads normalise_heads(const Heads& heads) const;           // Both; the value is left alone.
    at::Tensor project_out(const at::Tensor& attended) const;  // [batch, heads, rows, head_dim] -> rows
    at::Tensor feed_forward(const at::Tensor& rows) const;

    AdaptiveNorm norm1;  // Before the attention.
    AdaptiveNorm norm2;  // Before the feed-forward.
    std::int64_t heads;
    Linear to_q;
    Linear to_k;
    Linear to_v;
    Linear to_out;
    LayerNorm norm_q;
    LayerNorm norm_k;
    Linear ff_in;
    Linear ff_out;
};

// Turns query and key from first_row on; the value has no positions.
Heads rotate_heads(const Heads& heads, const RotaryTable& rotary, std::int64_t first_row);

}  // namespace mirror::engine::cogvideox
