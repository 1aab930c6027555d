#include "engine/vae/vae_tiling.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/core/result.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kHeightDim = 3;
constexpr std::int64_t kWidthDim = 4;

std::int64_t truncated(double value) { return static_cast<std::int64_t>(value); }

TileGrid::Axis axis(std::int64_t input_tile, std::int64_t output_tile, double overlap, bool whole_latents) {
    TileGrid::Axis axis{};
    axis.tile = input_tile;
    if (whole_latents) {
        constexpr double kRounding = 1e-9;  // 45 times 1/5 is 9.
        const auto shared = static_cast<std::int64_t>(std::ceil(static_cast<double>(input_tile) * overlap - kRounding));
        axis.stride = input_tile - shared;
        axis.blend = input_tile < 1 ? 0 : output_tile / input_tile * shared;
    } else {
        axis.stride = truncated(static_cast<double>(input_tile) * (1.0 - overlap));
        axis.blend = truncated(static_cast<double>(output_tile) * overlap);
    }
    axis.keep = output_tile - axis.blend;
    if (axis.tile < 1 || axis.stride < 1 || axis.keep < 1) {
        throw EngineError(ErrorCode::InvalidRequest,
                          "The tiles of the video decoder are too small or overlap too much.");
    }
    return axis;
}

std::int64_t latent_tile(const VaeConfig& config, std::int64_t pixels) { return pixels / config.spatial_compression(); }

// cur[y] = before[-n + y] * (1 - y / n) + cur[y] * (y / n) for the first n lines of `dim`.
void blend_into(const at::Tensor& before, at::Tensor& current, std::int64_t dim, std::int64_t extent) {
    const std::int64_t n = std::min({before.size(dim), current.size(dim), extent});
    if (n == 0) return;
    // float32 factors on 16-bit values: each product is rounded, and so is the sum, as with Python's scalar factors.
    std::vector<std::int64_t> shape(5, 1);
    shape[static_cast<std::size_t>(dim)] = n;
    const at::Tensor rising = (at::arange(n, at::kDouble) / static_cast<double>(n)).view(shape);
    const at::Tensor rise = rising.to(current.device(), at::kFloat);
    const at::Tensor fall = (1.0 - rising).to(current.device(), at::kFloat);
    at::Tensor here = current.narrow(dim, 0, n);
    const at::Tensor there = before.narrow(dim, before.size(dim) - n, n);
    const auto dtype = current.scalar_type();
    here.copy_((there * fall).to(dtype) + (here * rise).to(dtype));
}

}  // namespace

Tiling Tiling::standard(const VaeConfig& config) {
    Tiling tiling;
    tiling.tile_height = config.sample_height / 2;
    tiling.tile_width = config.sample_width / 2;
    return tiling;
}

Tiling Tiling::even(const VaeConfig& config) {
    Tiling tiling = standard(config);
    // Whole latents, too.
    tiling.tile_height = latent_tile(config, tiling.tile_height) * config.spatial_compression();
    tiling.tile_width = latent_tile(config, tiling.tile_width) * config.spatial_compression();
    tiling.whole_latents = true;
    return tiling;
}

TileGrid TileGrid::for_encoding(const VaeConfig& config, const Tiling& tiling) {
    return {axis(tiling.tile_height, latent_tile(config, tiling.tile_height), tiling.overlap_height, false),
            axis(tiling.tile_width, latent_tile(config, tiling.tile_width), tiling.overlap_width, false)};
}

TileGrid TileGrid::for_decoding(const VaeConfig& config, const Tiling& tiling) {
    return {
        axis(latent_tile(config, tiling.tile_height), tiling.tile_height, tiling.overlap_height, tiling.whole_latents),
        axis(latent_tile(config, tiling.tile_width), tiling.tile_width, tiling.overlap_width, tiling.whole_latents)};
}

void TileGrid::refuse_slivers(std::int64_t input_height, std::int64_t input_width, std::int64_t least) const {
    if (!cuts(input_height, input_width)) return;
    const auto check = [least](const Axis& axis, std::int64_t extent, const char* side) {
        const std::int64_t last = extent - (extent - 1) / axis.stride * axis.stride;
        if (last >= least) return;
        throw EngineError(ErrorCode::InvalidRequest,
                          "The last tile of " + std::string(side) + " " + std::to_string(extent) + " would have " +
                              std::to_string(last) + " pixels, fewer than the " + std::to_string(least) +
                              " that can be encoded: leave out tiling.");
    };
    check(height, input_height, "the height");
    check(width, input_width, "the width");
}

std::vector<std::vector<at::Tensor>> TileGrid::cut(const at::Tensor& input) const {
    const std::int64_t rows = input.size(kHeightDim), columns = input.size(kWidthDim);
    std::vector<std::vector<at::Tensor>> tiles;
    for (std::int64_t i = 0; i < rows; i += height.stride) {
        const at::Tensor row = input.narrow(kHeightDim, i, std::min(height.tile, rows - i));
        auto& line = tiles.emplace_back();
        for (std::int64_t j = 0; j < columns; j += width.stride)
            line.push_back(row.narrow(kWidthDim, j, std::min(width.tile, columns - j)));
    }
    return tiles;
}

at::Tensor TileGrid::join(std::vector<std::vector<at::Tensor>> tiles) const {
    std::vector<at::Tensor> rows;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        std::vector<at::Tensor> kept;
        for (std::size_t j = 0; j < tiles[i].size(); ++j) {
            at::Tensor& tile = tiles[i][j];
            if (i > 0) blend_into(tiles[i - 1][j], tile, kHeightDim, height.blend);
            if (j > 0) blend_into(tiles[i][j - 1], tile, kWidthDim, width.blend);
            kept.push_back(tile.narrow(kHeightDim, 0, std::min(height.keep, tile.size(kHeightDim)))
                               .narrow(kWidthDim, 0, std::min(width.keep, tile.size(kWidthDim))));
        }
        rows.push_back(at::cat(kept, kWidthDim));
    }
    return at::cat(rows, kHeightDim);
}

}  // namespace mirror::engine
