#pragma once

// What is alive at once while a model computes, by shape alone, in values of the model's dtype. Each function counts
// the tensors at the widest moment of its model's code, and what the library keeps beside them.

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/backbones/cogvideox/config.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/text/t5_encoder.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine {

struct DenoiserShape {
    std::uint64_t rows = 1;  // That go through the blocks in one call.
    std::uint64_t tokens = 0;
    std::uint64_t width = 0;
    std::uint64_t text_tokens = 0;
};

std::uint64_t transformer_activations(const DenoiserShape& shape, const Placement& placement);
// With the face rows of the adapter, one row at a time beside one of the base model.
std::uint64_t adapted_activations(const DenoiserShape& shape, std::uint64_t face_rows, const Placement& placement);
std::uint64_t t5_activations(const T5Config& config, std::uint64_t tokens, const Placement& placement);
std::uint64_t clip_activations(const magic_mirror::ClipVisionShape& shape, std::uint64_t pictures,
                               const Placement& placement);
// `latents` frames of `height` x `width` latent cells.
std::uint64_t decoder_activations(const VaeConfig& config, std::uint64_t latents, std::uint64_t height,
                                  std::uint64_t width, const Placement& placement);
// The same in tiles: the widest moment of any tile beside the frames of those before it.
std::uint64_t tiled_decoder_activations(const VaeConfig& config, const Tiling& tiling, std::uint64_t latents,
                                        std::uint64_t height, std::uint64_t width, const Placement& placement);

}  // namespace mirror::engine
