#pragma once

// Where a video token is: rotary tables of the 5B family, sines and cosines that are added in 2B.
//
// Source: diffusers, models/embeddings.py (get_3d_rotary_pos_embed, get_3d_sincos_pos_embed) and
// pipelines/cogvideo/pipeline_cogvideox.py (get_resize_crop_region_for_grid).

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/backbones/cogvideox/config.h"
#include "engine/tensor/rotary.h"

namespace mirror::engine::cogvideox {

// Extent of latents, before patches are made.
struct LatentGrid {
    std::int64_t frames = 1;
    std::int64_t height = 1;
    std::int64_t width = 1;
    friend bool operator==(const LatentGrid&, const LatentGrid&) = default;
};

// The part of the trained grid that a picture of another shape covers, rows and columns, end excluded.
struct CropRegion {
    std::int64_t top = 0;
    std::int64_t left = 0;
    std::int64_t bottom = 0;
    std::int64_t right = 0;
    friend bool operator==(const CropRegion&, const CropRegion&) = default;
};

CropRegion crop_region(std::int64_t height, std::int64_t width, std::int64_t trained_height,
                       std::int64_t trained_width);

// float32, one row a video token. Throws EngineError (InvalidRequest) where the grid is larger than the model allows.
RotaryTable rotary_positions(const TransformerConfig& config, const LatentGrid& grid, at::Device device);

// [1, max_text_seq_length + video tokens, width] in float64; the text rows are zero.
at::Tensor sincos_positions(const TransformerConfig& config, const LatentGrid& grid, at::Device device);

// [cos | sin] (or [sin | cos]) of the timesteps [batch], float32 [batch, width].
at::Tensor time_sinusoid(const at::Tensor& timesteps, std::int64_t width, const TransformerConfig& config);

}  // namespace mirror::engine::cogvideox
