#pragma once

// The encoder and the decoder of the CogVideoX autoencoder for one chunk of frames. CogVideoXVae cuts clips into
// chunks.

#include <optional>
#include <vector>

#include "engine/vae/cogvideox_vae.h"
#include "engine/vae/vae_layers.h"

namespace mirror::engine {

struct VaeEncoderResnet {
    VaeEncoderResnet(const WeightScope& weights, const VaeConfig& config, std::int64_t inputs, std::int64_t outputs);

    at::Tensor operator()(const at::Tensor& x, TimeCache& cache) const;

    GroupNorm norm1, norm2;
    CausalConv3d conv1, conv2;
    std::optional<PointwiseConv3d> shortcut;  // Where the channel count changes.
};

struct VaeDecoderResnet {
    VaeDecoderResnet(const WeightScope& weights, const VaeConfig& config, std::int64_t inputs, std::int64_t outputs);

    at::Tensor operator()(const at::Tensor& x, LatentGuide& guide, TimeCache& cache) const;

    SpatialNorm3d norm1, norm2;
    CausalConv3d conv1, conv2;
    std::optional<PointwiseConv3d> shortcut;
};

struct VaeDownBlock {
    std::vector<VaeEncoderResnet> resnets;
    std::optional<Downsampler3d> downsampler;
};

struct VaeUpBlock {
    std::vector<VaeDecoderResnet> resnets;
    std::optional<Upsampler3d> upsampler;
};

class VaeEncoder {
public:
    VaeEncoder(const WeightScope& weights, const VaeConfig& config);

    // [B, 3, T, H, W] -> mean and logvar in one, [B, 2 Z, T', H / 8, W / 8].
    at::Tensor operator()(const at::Tensor& frames, TimeCache& cache) const;

    CausalConv3d conv_in;
    std::vector<VaeDownBlock> down_blocks;
    std::vector<VaeEncoderResnet> mid_resnets;
    GroupNorm norm_out;
    CausalConv3d conv_out;
};

class VaeDecoder {
public:
    VaeDecoder(const WeightScope& weights, const VaeConfig& config);

    // [B, Z, F, h, w] -> [B, 3, T, 8 h, 8 w].
    at::Tensor operator()(const at::Tensor& latents, TimeCache& cache) const;

    CausalConv3d conv_in;
    std::vector<VaeDecoderResnet> mid_resnets;
    std::vector<VaeUpBlock> up_blocks;
    SpatialNorm3d norm_out;
    CausalConv3d conv_out;
};

}  // namespace mirror::engine
