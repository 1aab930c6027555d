#pragma once

// The tiny preset with every tensor made from its name, its base model, and the numbers of
// tests/golden/magic_mirror.safetensors (written by `python -m tests.parity.magic_mirror_golden`).

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/weights/tensor_file.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::magic_mirror::testing {

using engine::testing::deterministic;
using engine::testing::deterministic_input;
using engine::testing::deterministic_weights;

inline const at::Tensor& golden(const std::string& name) {
    static const TensorMap tensors = load_tensors(MIRROR_SOURCE_DIR "/tests/golden/magic_mirror.safetensors");
    return tensors.at(name);
}

using Overrides = std::initializer_list<std::pair<const char*, const char*>>;

inline AdapterConfig tiny_config(const std::vector<std::pair<std::string, std::string>>& switches = {}) {
    AdapterConfig config = value_or_throw(adapter_preset("tiny"));
    value_or_throw(apply_overrides(config.switches, switches));
    return config;
}

inline cogvideox::TransformerConfig tiny_base_config() {
    cogvideox::TransformerConfig config;
    config.num_attention_heads = 4;
    config.attention_head_dim = 16;
    config.in_channels = 4;
    config.out_channels = 4;
    config.time_embed_dim = 32;
    config.text_embed_dim = 48;
    config.num_layers = 4;
    config.sample_height = 4;
    config.sample_width = 4;
    config.sample_frames = 5;
    config.max_text_seq_length = 16;
    config.use_rotary_positional_embeddings = true;
    return config;
}

// What the transformer is given, and the person.
struct TinyInputs {
    explicit TinyInputs(std::int64_t references = 1, at::ScalarType dtype = at::kFloat)
        : id_embeds(deterministic_input("input.id_embeds", {references, 2, 32}).to(dtype)),
          face_tokens(deterministic_input("input.face_tokens", {1, 4 * references, 64}).to(dtype)) {
        transformer.hidden_states = deterministic_input("input.hidden_states", {2, 2, 4, 4, 6}).to(dtype);
        transformer.encoder_hidden_states = deterministic_input("input.encoder_hidden_states", {2, 5, 48}).to(dtype);
        transformer.timestep = at::tensor({999, 421}, at::kLong);
    }

    cogvideox::TransformerInput transformer;
    at::Tensor id_embeds;
    at::Tensor face_tokens;
};

struct TinyModel {
    explicit TinyModel(const AdapterConfig& config, at::ScalarType dtype = at::kFloat)
        : base(deterministic_weights(dtype), tiny_base_config()), adapter(deterministic_weights(dtype), config) {}

    at::Tensor run(const TinyInputs& inputs, const at::Tensor& mask = {}) const {
        return run(inputs, Strength::of(adapter.config.switches), mask);
    }
    at::Tensor run(const TinyInputs& inputs, Strength strength, const at::Tensor& mask = {}) const {
        MagicMirrorHook hook(adapter, make_conditioning(adapter, inputs.id_embeds, inputs.face_tokens), strength);
        return forward_with_adapter(base, inputs.transformer, hook, mask);
    }

    cogvideox::Transformer base;
    CrossModalAdapter adapter;
};

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    EXPECT_EQ(a.sizes(), b.sizes());
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace mirror::engine::magic_mirror::testing
