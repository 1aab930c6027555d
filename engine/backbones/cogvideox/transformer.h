#pragma once

// CogVideoX's denoiser: latents and text in, velocity out. Const; needs no inference guard.
//
// Source: diffusers, models/transformers/cogvideox_transformer_3d.py (CogVideoXTransformer3DModel).

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "engine/backbones/block_hook.h"
#include "engine/backbones/cogvideox/block.h"
#include "engine/backbones/cogvideox/config.h"
#include "engine/backbones/cogvideox/positions.h"
#include "engine/tensor/layers.h"
#include "engine/weights/layer_stack.h"

namespace mirror::engine::cogvideox {

// What depends on the size of the latents alone; made once a run and used in every step.
struct Positions {
    LatentGrid grid;      // What they were made for.
    RotaryTable rotary;   // Undefined without rotary positions.
    at::Tensor additive;  // [1, text and video rows, width] in the model's dtype; undefined if nothing is added
};

struct TransformerInput {
    at::Tensor hidden_states;              // [batch, frames, channels, height, width]
    at::Tensor encoder_hidden_states;      // [batch, text rows, text_embed_dim]
    at::Tensor timestep;                   // [batch], int64
    at::Tensor ofs;                        // [1] or [batch]; undefined: 2.0 if the model has ofs_embed_dim
    const Positions* positions = nullptr;  // Null: made for this call.
    int step = 0;                          // For the hooks only.
    bool recompute = false;                // Training: the inside of a block is made again for its gradient, not kept.
};

// One of several calls that go through the blocks together.
struct TransformerCall {
    TransformerInput input;
    std::span<BlockHook* const> hooks;
};

class Transformer {
public:
    Transformer(const WeightScope& weights, const TransformerConfig& config);

    // Velocity [batch, frames, out_channels, height, width]. EngineError (ShapeMismatch, InvalidRequest) names the
    // input.
    at::Tensor forward(const TransformerInput& input, std::span<BlockHook* const> hooks = {}) const;
    // The same for each call, block by block, so that a block that is not held is read once for all.
    std::vector<at::Tensor> forward_all(std::span<const TransformerCall> calls) const;

    // temb [batch, time_embed_dim] in the model's dtype; `ofs` as in TransformerInput.
    at::Tensor time_embedding(const at::Tensor& timestep, const at::Tensor& ofs = {}) const;
    // Embedded [text | video] rows, additive positions included.
    at::Tensor patch_embedding(const TransformerInput& input, const Positions& positions) const;
    // The head: norms, projection and putting the patches together again. video [batch, rows, width]
    at::Tensor head(const at::Tensor& video, const at::Tensor& temb, const LatentGrid& grid) const;

    Positions positions(const LatentGrid& grid) const;

    const TransformerConfig& config() const { return config_; }
    const LayerStack<Block>& blocks() const { return blocks_; }
    at::ScalarType dtype() const { return placement_.dtype; }
    at::Device device() const { return placement_.device; }

private:
    struct Head {
        Head(const WeightScope& weights, const TransformerConfig& config);

        LayerNorm norm_final;
        Linear modulation;  // norm_out.linear
        LayerNorm norm_out;
        Linear proj_out;
    };

    ForwardState begin(const TransformerInput& input) const;
    void check(const TransformerInput& input) const;
    at::Tensor embed_patches(const at::Tensor& hidden_states) const;
    at::Tensor unpatchify(const at::Tensor& patches, const LatentGrid& grid) const;
    at::Tensor additive_positions(const LatentGrid& grid) const;

    TransformerConfig config_;
    Placement placement_;
    at::Tensor patch_weight_;  // [width, channels, patch, patch], or a matrix if patch_size_t is set
    at::Tensor patch_bias_;    // [width]; undefined without
    Linear text_proj_;
    at::Tensor learned_positions_;  // [1, rows, width]; undefined without
    Linear time_in_;
    Linear time_out_;
    Linear ofs_in_;
    Linear ofs_out_;
    LayerStack<Block> blocks_;
    Head head_;
};

}  // namespace mirror::engine::cogvideox
