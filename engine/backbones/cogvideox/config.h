#pragma once

// transformer/config.json of a CogVideoX checkpoint, checked.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace mirror::engine {
class ConfigReader;
}

namespace mirror::engine::cogvideox {

// The defaults are those of diffusers' CogVideoXTransformer3DModel.
struct TransformerConfig {
    std::int64_t num_attention_heads = 30;
    std::int64_t attention_head_dim = 64;
    std::int64_t in_channels = 16;
    std::int64_t out_channels = 16;
    bool flip_sin_to_cos = true;
    std::int64_t freq_shift = 0;
    std::int64_t time_embed_dim = 512;
    std::optional<std::int64_t> ofs_embed_dim;
    std::int64_t text_embed_dim = 4096;
    std::int64_t num_layers = 30;
    bool attention_bias = true;
    std::int64_t sample_width = 90;   // Latent cells.
    std::int64_t sample_height = 60;  // Latent cells.
    std::int64_t sample_frames = 49;  // Pixel frames.
    std::int64_t patch_size = 2;
    std::optional<std::int64_t> patch_size_t;  // Set for the 1.5 models only.
    std::int64_t temporal_compression_ratio = 4;
    std::int64_t max_text_seq_length = 226;
    bool norm_elementwise_affine = true;
    double norm_eps = 1e-5;
    double spatial_interpolation_scale = 1.875;
    double temporal_interpolation_scale = 1.0;
    bool use_rotary_positional_embeddings = false;
    bool use_learned_positional_embeddings = false;
    bool patch_bias = true;

    std::int64_t inner_dim() const { return num_attention_heads * attention_head_dim; }
    // A table is added to the embedded rows: sines and cosines, or the learned one.
    bool has_additive_positions() const {
        return !use_rotary_positional_embeddings || use_learned_positional_embeddings;
    }
    // Half of the channels carry the image condition.
    bool is_image_to_video() const { return in_channels == 2 * out_channels; }
};

// EngineError names the file and the key.
TransformerConfig read_transformer_config(const std::filesystem::path& file);
TransformerConfig read_transformer_config(const ConfigReader& config);

}  // namespace mirror::engine::cogvideox
