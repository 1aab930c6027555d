#pragma once

// The causal 3D video autoencoder of CogVideoX (diffusers, models/autoencoders/autoencoder_kl_cogvideox.py): frames to
// latents and back, chunk by chunk in time. Scaling by scaling_factor is the caller's business.

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/weights/weight_source.h"

namespace mirror::engine {

class ConfigReader;

// vae/config.json. The defaults are diffusers' own for keys that the file may leave out.
struct VaeConfig {
    static VaeConfig read(const ConfigReader& file);

    std::int64_t spatial_compression() const { return std::int64_t{1} << (block_out_channels.size() - 1); }
    // How many levels, counted from the pixels of the encoder and from the latents of the decoder, change the frame
    // count.
    std::int64_t temporal_levels() const;
    // Odd counts of latents decode to 4F - 3 frames, even ones to 4F.
    std::int64_t decoded_frames(std::int64_t latents) const {
        return latents % 2 == 1 ? temporal_compression_ratio * (latents - 1) + 1 : temporal_compression_ratio * latents;
    }

    std::int64_t in_channels = 3;
    std::int64_t out_channels = 3;
    std::int64_t latent_channels = 16;
    std::int64_t layers_per_block = 3;
    std::int64_t norm_num_groups = 32;
    std::int64_t temporal_compression_ratio = 4;
    std::int64_t sample_height = 480;  // Pixels; only the standard tile size depends on these two.
    std::int64_t sample_width = 720;
    std::vector<std::int64_t> block_out_channels{128, 256, 256, 512};
    double norm_eps = 1e-6;
    double scaling_factor = 1.15258426;
    bool invert_scale_latents = false;
};

// Whether large frames are cut into overlapping tiles, which bounds memory and changes the numbers at the seams.
struct Tiling {
    static Tiling off() { return {}; }
    static Tiling standard(const VaeConfig& config);  // Half the sample size, overlapping by 1/6 and 1/5.
    // The same for decoding frames of any size: overlaps are rounded up to whole latents. The published code rounds
    // latents and pixels down apart from each other, which moves and stretches the picture unless both come out even,
    // as they do for the published sizes.
    static Tiling even(const VaeConfig& config);

    bool is_off() const { return tile_height == 0; }

    std::int64_t tile_height = 0;  // Pixels; 0: no tiles.
    std::int64_t tile_width = 0;
    double overlap_height = 1.0 / 6.0;  // Fraction of a tile.
    double overlap_width = 1.0 / 5.0;
    bool whole_latents = false;
};

// The normal distribution that the encoder gives for a clip. Its mode is the mean.
struct Posterior {
    at::Tensor sample(const at::Tensor& noise) const;  // mean + exp(logvar / 2) * noise

    at::Tensor mean;    // [B, Z, T', H/8, W/8]
    at::Tensor logvar;  // same, clamped to -30..20
};

enum class VaeParts { Whole, DecoderOnly };

class VaeEncoder;
class VaeDecoder;

class CogVideoXVae {
public:
    CogVideoXVae(const WeightScope& weights, const VaeConfig& config, VaeParts parts = VaeParts::Whole);

    // sample [B, 3, T, H, W] in -1..1; H and W divisible by spatial_compression(). 8m + 1 frames give 2m + 1 latents,
    // 8m give 2m. EngineError (InvalidRequest) without an encoder.
    Posterior encode(const at::Tensor& sample, const Tiling& tiling = Tiling::off()) const;

    // latents [B, Z, F, h, w], already divided by scaling_factor -> [B, 3, T, 8h, 8w] with 4F - 3 frames for odd F, 4F
    // for even.
    at::Tensor decode(const at::Tensor& latents, const Tiling& tiling = Tiling::off()) const;

    // The same frames in the same order, handed over [B, 3, t, 8h, 8w] chunk by chunk: without tiles as soon as each
    // chunk of two or three latents is done, with tiles when all are. `after_part` is called after each chunk (of each
    // tile). An exception out of either ends the decoding and passes through.
    void decode(const at::Tensor& latents, const Tiling& tiling, const std::function<void(at::Tensor frames)>& emit,
                const std::function<void()>& after_part = {}) const;

    // How many times decode calls `emit` for this many latent frames.
    static std::int64_t decode_chunks(std::int64_t latent_frames);
    // How many times decode calls `after_part` for latents of this size.
    static std::int64_t decode_parts(const VaeConfig& config, const at::Tensor& latents, const Tiling& tiling);

    const VaeConfig& config() const { return config_; }

private:
    VaeConfig config_;
    std::shared_ptr<const VaeEncoder> encoder_;  // Null with VaeParts::DecoderOnly.
    std::shared_ptr<const VaeDecoder> decoder_;
};

}  // namespace mirror::engine
