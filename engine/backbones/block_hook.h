#pragma once

// Where a method may act inside a diffusion transformer, and what it sees there.

#include <ATen/ATen.h>

#include <vector>

#include "engine/tensor/rotary.h"

namespace mirror::engine {

namespace cogvideox {
struct Block;
}

// The streams of one call of the transformer, on their way through the blocks.
struct ForwardState {
    int step = 0;        // Of the sampler, counted from 0.
    at::Tensor temb;     // [batch, time width]; every modulation applies SiLU to it first.
    at::Tensor text;     // [batch, text rows, width]
    at::Tensor video;    // [batch, video rows, width]
    RotaryTable rotary;  // Of the video rows.
};

// Acts around blocks, or in place of one. Every default does nothing, and a hook that does nothing leaves the numbers
// of the base model as they are, bit for bit. Called on the thread that runs the transformer.
class BlockHook {
public:
    virtual ~BlockHook() = default;

    virtual void before_blocks(ForwardState&) {}
    virtual void before_block(int /*block*/, ForwardState&) {}
    virtual void after_block(int /*block*/, ForwardState&) {}
    virtual void after_blocks(ForwardState&) {}

    // At most one hook may answer true for a block. It then changes `text` and `video` itself, out of the block's
    // parts.
    virtual bool takes_over(int /*block*/) const { return false; }
    virtual void run_block(const cogvideox::Block& /*block*/, int /*index*/, ForwardState&) {}

    // Every tensor of the hook's own that run_block reads or changes and that may carry a gradient; undefined ones too.
    virtual std::vector<at::Tensor*> streams() { return {}; }
};

}  // namespace mirror::engine
