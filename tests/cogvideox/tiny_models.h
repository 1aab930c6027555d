#pragma once

// The small configurations of the published models that the reference values belong to.

#include "engine/backbones/cogvideox/config.h"

namespace mirror::engine::testing {

inline cogvideox::TransformerConfig tiny_2b() {
    cogvideox::TransformerConfig config;
    config.num_attention_heads = 2;
    config.attention_head_dim = 16;
    config.in_channels = 4;
    config.out_channels = 4;
    config.time_embed_dim = 8;
    config.text_embed_dim = 8;
    config.num_layers = 2;
    config.sample_width = 8;
    config.sample_height = 8;
    config.sample_frames = 9;
    config.max_text_seq_length = 8;
    return config;
}

inline cogvideox::TransformerConfig tiny_5b() {
    cogvideox::TransformerConfig config = tiny_2b();
    config.use_rotary_positional_embeddings = true;
    return config;
}

inline cogvideox::TransformerConfig tiny_5b_i2v() {
    cogvideox::TransformerConfig config = tiny_5b();
    config.in_channels = 8;
    config.use_learned_positional_embeddings = true;
    return config;
}

inline cogvideox::TransformerConfig tiny_15() {
    cogvideox::TransformerConfig config = tiny_5b();
    config.patch_size_t = 2;
    config.patch_bias = false;  // As published; the bias is there all the same.
    return config;
}

inline cogvideox::TransformerConfig tiny_15_i2v() {
    cogvideox::TransformerConfig config = tiny_15();
    config.in_channels = 8;
    config.ofs_embed_dim = 8;
    return config;
}

}  // namespace mirror::engine::testing
