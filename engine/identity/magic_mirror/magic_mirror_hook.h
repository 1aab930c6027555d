#pragma once

// Runs the adapted blocks of a CogVideoX transformer: text, face and video rows through one attention, with the
// decoupled cross-attention to the face and the conditioned modulation. Everything is called out of the base block's
// parts.

#include <ATen/ATen.h>

#include "engine/backbones/block_hook.h"
#include "engine/backbones/cogvideox/block.h"
#include "engine/backbones/cogvideox/transformer.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/three_stream_block.h"

namespace mirror::engine::magic_mirror {

// The person of one run, as the blocks see it; serves every row.
struct Conditioning {
    at::Tensor face_tokens;  // [1, face rows, d]; undefined where no switch needs it
    at::Tensor id_vector;    // p [1, c1]; undefined with can=off
};

// Checks shapes and counts: EngineError names `id_embeds` or `face_tokens`. Either may be undefined where the switches
// do not need it. id_embeds [N, K, c], face_tokens [1, N*T, d] ([1, T, d] with multi_ref_face=mean).
Conditioning make_conditioning(const CrossModalAdapter& adapter, const at::Tensor& id_embeds,
                               const at::Tensor& face_tokens);

// Whether the switches have any use for face tokens.
bool needs_face_tokens(const Switches& switches);

// One call of the transformer at a time: the face stream lives here between blocks. `adapter` outlives the hook.
class MagicMirrorHook : public BlockHook {
public:
    MagicMirrorHook(const CrossModalAdapter& adapter, Conditioning conditioning, Strength strength);

    void before_blocks(ForwardState& state) override;
    bool takes_over(int block) const override;
    void run_block(const cogvideox::Block& block, int index, ForwardState& state) override;
    std::vector<at::Tensor*> streams() override {
        return {&face_, &conditioning_.face_tokens, &conditioning_.id_vector};
    }

    // The face rows after the last adapted block that ran, [batch, face rows, d].
    const at::Tensor& face_stream() const { return face_; }

private:
    const CrossModalAdapter& adapter_;
    Conditioning conditioning_;
    Strength strength_;
    at::Tensor face_;  // Undefined where no term reads it.
};

// The modulation of one adapted block, as stage `can` reports it and the block uses it.
struct AdaptedModulation {
    at::Tensor base;        // [B, 12, d], of the base model
    at::Tensor delta;       // [B, 12, d], before any scale; zeros with can=off
    at::Tensor modulation;  // [B, 12, d], what text and video get
    at::Tensor face;        // [B, 6, d]; zeros with phi_face=off
};
AdaptedModulation adapted_modulation(const CrossModalAdapter& adapter, const cogvideox::Block& block,
                                     std::int64_t index, const at::Tensor& temb, const at::Tensor& id_vector,
                                     double can_scale);

// The transformer with the adapter on the rows whose mask is 1; rows of mask 0 run apart, through the base model alone.
// adapter_mask [B] integers, undefined: all ones.
at::Tensor forward_with_adapter(const cogvideox::Transformer& transformer, const cogvideox::TransformerInput& input,
                                MagicMirrorHook& hook, const at::Tensor& adapter_mask = {});

}  // namespace mirror::engine::magic_mirror
