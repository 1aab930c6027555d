#pragma once

// What surrounds the denoiser in CogVideoX's pipelines: frame counts, image latents, predictions for denoise(),
// pictures.
//
// Source: diffusers, pipelines/cogvideo/pipeline_cogvideox.py and pipeline_cogvideox_image2video.py.

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/samplers/denoise.h"

namespace mirror::engine::cogvideox {

// How many latent frames are denoised; the first `padding` are dropped before decoding.
struct LatentFrames {
    std::int64_t total = 0;
    std::int64_t padding = 0;
    friend bool operator==(const LatentFrames&, const LatentFrames&) = default;
};

LatentFrames latent_frames(std::int64_t frames, const TransformerConfig& config);

// [1, frames, channels, height, width] of the noise for a clip of width x height pixels. A model from images to videos
// has half of its channels there.
std::vector<std::int64_t> latent_shape(std::int64_t frames, std::int64_t height, std::int64_t width,
                                       const TransformerConfig& config);

// What the VAE says of one picture, with the noise that samples it; all [1, channels, 1, h, w].
struct ImagePosterior {
    at::Tensor mean;
    at::Tensor logvar;  // Already clamped.
    at::Tensor noise;
};

struct LatentScale {
    double scaling_factor = 0.7;
    bool invert_scale_latents = false;
};

// [1, frames, channels, h, w] in `dtype`: the sampled picture first, zeros behind it.
at::Tensor image_latents(const ImagePosterior& posterior, const LatentScale& scale, std::int64_t frames,
                         at::ScalarType dtype);

// Answers denoise() by the transformer.
struct VelocityModel {
    at::Tensor operator()(const DenoiseStep& step, const at::Tensor& latents) const;

    const Transformer* transformer = nullptr;
    at::Tensor prompt_embeds;  // [rows * batch, L, text_embed_dim]: those without the prompt first
    at::Tensor image_latents;  // [batch, frames, channels, h, w]; undefined from text alone
    Positions positions;
    std::vector<BlockHook*> hooks;
};

// Makes the positions for `grid` once.
VelocityModel velocity_model(const Transformer& transformer, const at::Tensor& prompt_embeds,
                             const at::Tensor& image_latents, const LatentGrid& grid,
                             std::span<BlockHook* const> hooks = {});

// [batch, frames, channels, h, w] as denoised -> [batch, channels, frames, h, w] as the VAE's decoder takes them:
// padding dropped, divided by the scaling factor.
at::Tensor decoder_latents(const at::Tensor& latents, std::int64_t padding, const LatentScale& scale);

// [batch, 3, frames, H, W] in -1..1 -> [batch, frames, 3, H, W] in 0..1, float32; clamped in the VAE's dtype.
at::Tensor frames_from_samples(const at::Tensor& samples);

}  // namespace mirror::engine::cogvideox
