#include "engine/vae/cogvideox_vae.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kMaxWidth = 1 << 16;

void refuse_impossible(const VaeConfig& config, const ConfigReader& file) {
    const std::int64_t ratio = config.temporal_compression_ratio;
    if ((ratio & (ratio - 1)) != 0) file.refuse("temporal_compression_ratio", "is not a power of two");
    if (config.block_out_channels.size() < 2 || config.block_out_channels.size() > 8)
        file.refuse("block_out_channels", "must have two to eight numbers");
    if (config.temporal_levels() >= static_cast<std::int64_t>(config.block_out_channels.size())) {
        file.refuse("temporal_compression_ratio", "needs more block_out_channels");
    }
    for (const std::int64_t width : config.block_out_channels) {
        if (width % config.norm_num_groups != 0)
            file.refuse("block_out_channels", "has a number that norm_num_groups does not divide");
    }
    for (const auto* key : {"use_quant_conv", "use_post_quant_conv"}) {
        if (file.boolean_or(key, false)) file.refuse(key, "is not supported; no published model has it");
    }
    if (file.text_or("act_fn", "silu") != "silu") file.refuse("act_fn", "is not silu");
}

}  // namespace

VaeConfig VaeConfig::read(const ConfigReader& file) {
    VaeConfig config;
    config.in_channels = file.integer_or("in_channels", config.in_channels, 1, kMaxWidth);
    config.out_channels = file.integer_or("out_channels", config.out_channels, 1, kMaxWidth);
    config.latent_channels = file.integer_or("latent_channels", config.latent_channels, 1, kMaxWidth);
    config.layers_per_block = file.integer_or("layers_per_block", config.layers_per_block, 1, 64);
    config.norm_num_groups = file.integer_or("norm_num_groups", config.norm_num_groups, 1, kMaxWidth);
    config.temporal_compression_ratio =
        file.integer_or("temporal_compression_ratio", config.temporal_compression_ratio, 1, 128);
    config.sample_height = file.integer_or("sample_height", config.sample_height, 1, kMaxWidth);
    config.sample_width = file.integer_or("sample_width", config.sample_width, 1, kMaxWidth);
    if (file.has("block_out_channels")) config.block_out_channels = file.integers("block_out_channels", 1, kMaxWidth);
    config.norm_eps = file.number_or("norm_eps", config.norm_eps, 0.0, 1.0);
    config.scaling_factor = file.number_or("scaling_factor", config.scaling_factor, 1e-6, 1e6);
    config.invert_scale_latents = file.boolean_or("invert_scale_latents", config.invert_scale_latents);
    refuse_impossible(config, file);
    return config;
}

}  // namespace mirror::engine
