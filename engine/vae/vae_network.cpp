#include "engine/vae/vae_network.h"

#include <c10/core/GradMode.h>

namespace mirror::engine {

namespace {

constexpr std::int64_t kMidResnets = 2;
constexpr double kEncoderNormOutEpsilon = 1e-6;  // In the code, whatever norm_eps says.

// Both in the memory of the last operand, where no gradient needs what was there.
at::Tensor silu(at::Tensor&& x) { return c10::GradMode::is_enabled() ? at::silu(x) : at::silu_(x); }
at::Tensor sum(const at::Tensor& x, at::Tensor&& y) { return c10::GradMode::is_enabled() ? x + y : y.add_(x); }

std::optional<PointwiseConv3d> shortcut_if_needed(const WeightScope& weights, std::int64_t inputs,
                                                  std::int64_t outputs) {
    if (inputs == outputs) return std::nullopt;
    return PointwiseConv3d(weights / "conv_shortcut", inputs, outputs);
}

VaeDownBlock down_block(const WeightScope& weights, const VaeConfig& config, std::int64_t level) {
    const auto& widths = config.block_out_channels;
    const auto index = static_cast<std::size_t>(level);
    const std::int64_t width = widths[index];
    VaeDownBlock block;
    for (std::int64_t j = 0; j < config.layers_per_block; ++j) {
        const std::int64_t inputs = j == 0 && level > 0 ? widths[index - 1] : width;
        block.resnets.emplace_back(weights / "resnets" / j, config, inputs, width);
    }
    if (index + 1 == widths.size()) return block;
    const auto time = level < config.temporal_levels() ? Downsampler3d::Time::Halve : Downsampler3d::Time::Keep;
    block.downsampler.emplace(weights / "downsamplers" / 0, width, time);
    return block;
}

// `level` counts from the latents.
VaeUpBlock up_block(const WeightScope& weights, const VaeConfig& config, std::int64_t level) {
    const std::vector<std::int64_t> widths(config.block_out_channels.rbegin(), config.block_out_channels.rend());
    const auto index = static_cast<std::size_t>(level);
    const std::int64_t width = widths[index];
    VaeUpBlock block;
    for (std::int64_t j = 0; j <= config.layers_per_block; ++j) {
        const std::int64_t inputs = j == 0 && level > 0 ? widths[index - 1] : width;
        block.resnets.emplace_back(weights / "resnets" / j, config, inputs, width);
    }
    if (index + 1 == widths.size()) return block;
    const auto time = level < config.temporal_levels() ? Upsampler3d::Time::Double : Upsampler3d::Time::Keep;
    block.upsampler.emplace(weights / "upsamplers" / 0, width, time);
    return block;
}

}  // namespace

VaeEncoderResnet::VaeEncoderResnet(const WeightScope& weights, const VaeConfig& config, std::int64_t inputs,
                                   std::int64_t outputs)
    : norm1(weights / "norm1", inputs, config.norm_num_groups, config.norm_eps),
      norm2(weights / "norm2", outputs, config.norm_num_groups, config.norm_eps),
      conv1(weights / "conv1", inputs, outputs),
      conv2(weights / "conv2", outputs, outputs),
      shortcut(shortcut_if_needed(weights, inputs, outputs)) {}

at::Tensor VaeEncoderResnet::operator()(const at::Tensor& x, TimeCache& cache) const {
    at::Tensor h = conv1(silu(norm1(x)), cache);
    h = conv2(silu(norm2(h)), cache);
    return sum(shortcut ? (*shortcut)(x) : x, std::move(h));
}

VaeDecoderResnet::VaeDecoderResnet(const WeightScope& weights, const VaeConfig& config, std::int64_t inputs,
                                   std::int64_t outputs)
    : norm1(weights / "norm1", inputs, config.latent_channels, config.norm_num_groups),
      norm2(weights / "norm2", outputs, config.latent_channels, config.norm_num_groups),
      conv1(weights / "conv1", inputs, outputs),
      conv2(weights / "conv2", outputs, outputs),
      shortcut(shortcut_if_needed(weights, inputs, outputs)) {}

at::Tensor VaeDecoderResnet::operator()(const at::Tensor& x, LatentGuide& guide, TimeCache& cache) const {
    at::Tensor h = conv1(silu(norm1(x, guide)), cache);
    h = conv2(silu(norm2(h, guide)), cache);
    return sum(shortcut ? (*shortcut)(x) : x, std::move(h));
}

VaeEncoder::VaeEncoder(const WeightScope& weights, const VaeConfig& config)
    : conv_in(weights / "conv_in", config.in_channels, config.block_out_channels.front()) {
    const std::int64_t widest = config.block_out_channels.back();
    for (std::size_t i = 0; i < config.block_out_channels.size(); ++i) {
        const auto level = static_cast<std::int64_t>(i);
        down_blocks.push_back(down_block(weights / "down_blocks" / level, config, level));
    }
    for (std::int64_t j = 0; j < kMidResnets; ++j)
        mid_resnets.emplace_back(weights / "mid_block" / "resnets" / j, config, widest, widest);
    norm_out = GroupNorm(weights / "norm_out", widest, config.norm_num_groups, kEncoderNormOutEpsilon);
    conv_out = CausalConv3d(weights / "conv_out", widest, 2 * config.latent_channels);
}

at::Tensor VaeEncoder::operator()(const at::Tensor& frames, TimeCache& cache) const {
    at::Tensor h = conv_in(frames, cache);
    for (const auto& block : down_blocks) {
        for (const auto& resnet : block.resnets) h = resnet(h, cache);
        if (block.downsampler) h = (*block.downsampler)(h);
    }
    for (const auto& resnet : mid_resnets) h = resnet(h, cache);
    return conv_out(silu(norm_out(h)), cache);
}

VaeDecoder::VaeDecoder(const WeightScope& weights, const VaeConfig& config)
    : conv_in(weights / "conv_in", config.latent_channels, config.block_out_channels.back()) {
    const std::int64_t widest = config.block_out_channels.back();
    for (std::int64_t j = 0; j < kMidResnets; ++j)
        mid_resnets.emplace_back(weights / "mid_block" / "resnets" / j, config, widest, widest);
    for (std::size_t i = 0; i < config.block_out_channels.size(); ++i) {
        const auto level = static_cast<std::int64_t>(i);
        up_blocks.push_back(up_block(weights / "up_blocks" / level, config, level));
    }
    const std::int64_t narrowest = config.block_out_channels.front();
    norm_out = SpatialNorm3d(weights / "norm_out", narrowest, config.latent_channels, config.norm_num_groups);
    conv_out = CausalConv3d(weights / "conv_out", narrowest, config.out_channels);
}

at::Tensor VaeDecoder::operator()(const at::Tensor& latents, TimeCache& cache) const {
    LatentGuide guide(latents);
    at::Tensor h = conv_in(latents, cache);
    for (const auto& resnet : mid_resnets) h = resnet(h, guide, cache);
    for (const auto& block : up_blocks) {
        for (const auto& resnet : block.resnets) h = resnet(h, guide, cache);
        if (block.upsampler) h = (*block.upsampler)(h);
    }
    return conv_out(silu(norm_out(h, guide)), cache);
}

}  // namespace mirror::engine
