#include "engine/backbones/cogvideox/pipeline.h"

#include <algorithm>
#include <string>

#include "engine/core/result.h"

namespace mirror::engine::cogvideox {

namespace {

// Pixels a latent cell, of every CogVideoX VAE.
constexpr std::int64_t kSpatialCompression = 8;

at::Tensor repeat_rows(const at::Tensor& x, std::int64_t rows) {
    if (rows == x.size(0)) return x;
    return at::cat(std::vector<at::Tensor>(static_cast<std::size_t>(rows / x.size(0)), x), 0);
}

}  // namespace

LatentFrames latent_frames(std::int64_t frames, const TransformerConfig& config) {
    const std::int64_t asked = (frames - 1) / config.temporal_compression_ratio + 1;
    const std::int64_t depth = config.patch_size_t.value_or(1);
    const std::int64_t padding = (depth - asked % depth) % depth;
    return {asked + padding, padding};
}

std::vector<std::int64_t> latent_shape(std::int64_t frames, std::int64_t height, std::int64_t width,
                                       const TransformerConfig& config) {
    const std::int64_t cell = kSpatialCompression * config.patch_size;
    if (frames < 1 || height < 1 || width < 1 || height % cell != 0 || width % cell != 0) {
        throw EngineError(ErrorCode::InvalidRequest,
                          "The video must have at least one frame, and width and height must be multiples of " +
                              std::to_string(cell) + "; " + std::to_string(width) + "x" + std::to_string(height) +
                              " is not.");
    }
    const std::int64_t channels = config.is_image_to_video() ? config.in_channels / 2 : config.in_channels;
    return {1, latent_frames(frames, config).total, channels, height / kSpatialCompression,
            width / kSpatialCompression};
}

at::Tensor image_latents(const ImagePosterior& posterior, const LatentScale& scale, std::int64_t frames,
                         at::ScalarType dtype) {
    const at::Tensor deviation = at::exp(posterior.logvar * 0.5);
    const at::Tensor sampled = posterior.mean + deviation * posterior.noise;
    const double factor = scale.invert_scale_latents ? 1.0 / scale.scaling_factor : scale.scaling_factor;
    const at::Tensor first = sampled.to(dtype).transpose(1, 2) * factor;
    if (frames == 1) return first;
    const at::Tensor rest =
        at::zeros({first.size(0), frames - 1, first.size(2), first.size(3), first.size(4)}, first.options());
    return at::cat({first, rest}, 1);
}

VelocityModel velocity_model(const Transformer& transformer, const at::Tensor& prompt_embeds,
                             const at::Tensor& image_latents, const LatentGrid& grid,
                             std::span<BlockHook* const> hooks) {
    return {&transformer, prompt_embeds, image_latents, transformer.positions(grid), {hooks.begin(), hooks.end()}};
}

at::Tensor VelocityModel::operator()(const DenoiseStep& step, const at::Tensor& latents) const {
    const std::int64_t rows = prompt_embeds.size(0);
    at::Tensor input = repeat_rows(latents, rows);
    if (image_latents.defined()) input = at::cat({input, repeat_rows(image_latents, rows)}, 2);
    TransformerInput call;
    call.hidden_states = input;
    call.encoder_hidden_states = prompt_embeds;
    call.timestep = at::full({rows}, step.timestep, latents.options().dtype(at::kLong));
    call.positions = &positions;
    call.step = step.step;
    return transformer->forward(call, hooks);
}

at::Tensor decoder_latents(const at::Tensor& latents, std::int64_t padding, const LatentScale& scale) {
    const at::Tensor kept = latents.narrow(1, padding, latents.size(1) - padding);
    return kept.transpose(1, 2) * (1.0 / scale.scaling_factor);
}

at::Tensor frames_from_samples(const at::Tensor& samples) {
    return (samples * 0.5 + 0.5).clamp(0, 1).to(at::kFloat).transpose(1, 2).contiguous();
}

}  // namespace mirror::engine::cogvideox
