#pragma once

// Cutting large frames into overlapping tiles and putting the results together again (diffusers, tiled_encode and
// tiled_decode).

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine {

// Sizes of one run, in its own input and output units: pixels in and latents out for encoding, the other way round for
// decoding. Fractions are cut off, as Python's int() does.
struct TileGrid {
    struct Axis {
        std::int64_t tile;    // Input length of a tile.
        std::int64_t stride;  // Input distance of neighbours.
        std::int64_t blend;   // Output length over which neighbours are mixed.
        std::int64_t keep;    // Output length that a tile adds to the picture.

        std::int64_t tiles(std::int64_t extent) const { return (extent + stride - 1) / stride; }
    };
    Axis height, width;

    static TileGrid for_encoding(const VaeConfig& config, const Tiling& tiling);
    static TileGrid for_decoding(const VaeConfig& config, const Tiling& tiling);

    // Whether a frame of this size is cut at all.
    bool cuts(std::int64_t input_height, std::int64_t input_width) const {
        return input_height > height.tile || input_width > width.tile;
    }

    // How many tiles a frame of this size has, cut or not.
    std::int64_t tiles(std::int64_t input_height, std::int64_t input_width) const {
        return height.tiles(input_height) * width.tiles(input_width);
    }

    // EngineError if a tile at the right or bottom had fewer than `least` input units: what the published code cannot
    // encode either.
    void refuse_slivers(std::int64_t input_height, std::int64_t input_width, std::int64_t least) const;

    // [B, C, T, H, W] -> rows of tiles; those at the right and bottom may be small.
    std::vector<std::vector<at::Tensor>> cut(const at::Tensor& input) const;
    // The inverse for results. Mixes in place, from above and then from the left, with neighbours that are mixed
    // already.
    at::Tensor join(std::vector<std::vector<at::Tensor>> tiles) const;
};

}  // namespace mirror::engine
