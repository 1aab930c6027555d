#include "engine/backbones/cogvideox/config.h"

#include <initializer_list>
#include <string_view>

#include "engine/weights/config_reader.h"

namespace mirror::engine::cogvideox {

namespace {

// Far above every published model; a corrupt file shall not ask for absurd memory.
constexpr std::int64_t kMostHeads = 1024;
constexpr std::int64_t kMostWidth = 1 << 16;
constexpr std::int64_t kMostLayers = 1024;
constexpr std::int64_t kMostCells = 1 << 14;

std::optional<std::int64_t> optional_integer(const ConfigReader& config, std::string_view key, std::int64_t max) {
    if (!config.has(key)) return std::nullopt;
    return config.integer(key, 1, max);
}

void expect_word(const ConfigReader& config, std::string_view key, std::string_view word) {
    if (config.has(key)) config.choice(key, {word});
}

void read_widths(const ConfigReader& config, TransformerConfig& into) {
    into.num_attention_heads = config.integer_or("num_attention_heads", into.num_attention_heads, 1, kMostHeads);
    into.attention_head_dim = config.integer_or("attention_head_dim", into.attention_head_dim, 1, kMostWidth);
    into.in_channels = config.integer_or("in_channels", into.in_channels, 1, kMostWidth);
    into.out_channels = config.integer_or("out_channels", into.out_channels, 1, kMostWidth);
    into.time_embed_dim = config.integer_or("time_embed_dim", into.time_embed_dim, 1, kMostWidth);
    into.ofs_embed_dim = optional_integer(config, "ofs_embed_dim", kMostWidth);
    into.text_embed_dim = config.integer_or("text_embed_dim", into.text_embed_dim, 1, kMostWidth);
    into.num_layers = config.integer_or("num_layers", into.num_layers, 1, kMostLayers);
    into.max_text_seq_length = config.integer_or("max_text_seq_length", into.max_text_seq_length, 1, kMostWidth);
}

void read_sizes(const ConfigReader& config, TransformerConfig& into) {
    into.sample_width = config.integer_or("sample_width", into.sample_width, 1, kMostCells);
    into.sample_height = config.integer_or("sample_height", into.sample_height, 1, kMostCells);
    into.sample_frames = config.integer_or("sample_frames", into.sample_frames, 1, kMostCells);
    into.patch_size = config.integer_or("patch_size", into.patch_size, 1, 64);
    into.patch_size_t = optional_integer(config, "patch_size_t", 64);
    into.temporal_compression_ratio =
        config.integer_or("temporal_compression_ratio", into.temporal_compression_ratio, 1, 64);
    into.spatial_interpolation_scale =
        config.number_or("spatial_interpolation_scale", into.spatial_interpolation_scale, 1e-3, 1e3);
    into.temporal_interpolation_scale =
        config.number_or("temporal_interpolation_scale", into.temporal_interpolation_scale, 1e-3, 1e3);
}

void read_switches(const ConfigReader& config, TransformerConfig& into) {
    expect_word(config, "activation_fn", "gelu-approximate");
    expect_word(config, "timestep_activation_fn", "silu");
    into.flip_sin_to_cos = config.boolean_or("flip_sin_to_cos", into.flip_sin_to_cos);
    into.freq_shift = config.integer_or("freq_shift", into.freq_shift, 0, 1);
    into.attention_bias = config.boolean_or("attention_bias", into.attention_bias);
    into.norm_elementwise_affine = config.boolean_or("norm_elementwise_affine", into.norm_elementwise_affine);
    into.norm_eps = config.number_or("norm_eps", into.norm_eps, 0.0, 1.0);
    into.use_rotary_positional_embeddings =
        config.boolean_or("use_rotary_positional_embeddings", into.use_rotary_positional_embeddings);
    into.use_learned_positional_embeddings =
        config.boolean_or("use_learned_positional_embeddings", into.use_learned_positional_embeddings);
    into.patch_bias = config.boolean_or("patch_bias", into.patch_bias);
}

void check_together(const ConfigReader& config, const TransformerConfig& read) {
    if (read.use_rotary_positional_embeddings && read.attention_head_dim % 16 != 0) {
        config.refuse("attention_head_dim", "must be divisible by 16 in a model with rotary positions");
    }
    if (read.has_additive_positions() && read.inner_dim() % 16 != 0) {
        config.refuse("num_attention_heads",
                      "times attention_head_dim must be divisible by 16 in a model that adds positions");
    }
    // One value is left for the frequencies even when freq_shift takes one.
    if (read.inner_dim() % 2 != 0 || read.inner_dim() / 2 <= read.freq_shift) {
        config.refuse("num_attention_heads", "times attention_head_dim must be even and above 2");
    }
    if (read.ofs_embed_dim && *read.ofs_embed_dim != read.time_embed_dim) {
        config.refuse("ofs_embed_dim", "must equal time_embed_dim, because the two embeddings are added");
    }
    if (read.ofs_embed_dim && (*read.ofs_embed_dim % 2 != 0 || *read.ofs_embed_dim / 2 <= read.freq_shift)) {
        config.refuse("ofs_embed_dim", "must be even and above 2");
    }
    if (read.patch_size_t && read.has_additive_positions()) {
        config.refuse("patch_size_t", "needs rotary positions and no learned ones");
    }
    if (read.sample_height < read.patch_size || read.sample_width < read.patch_size) {
        config.refuse("patch_size", "must not exceed sample_height and sample_width");
    }
}

}  // namespace

TransformerConfig read_transformer_config(const std::filesystem::path& file) {
    return read_transformer_config(ConfigReader::open(file));
}

TransformerConfig read_transformer_config(const ConfigReader& config) {
    TransformerConfig read;
    read_widths(config, read);
    read_sizes(config, read);
    read_switches(config, read);
    check_together(config, read);
    return read;
}

}  // namespace mirror::engine::cogvideox
