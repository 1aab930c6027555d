#include "engine/session/activation_sizes.h"

#include <ATen/Version.h>

#include <algorithm>
#include <vector>

#include "engine/vae/vae_tiling.h"

namespace mirror::engine {

namespace {

std::uint64_t element_size(const Placement& placement) { return c10::elementSize(placement.dtype); }

constexpr std::uint64_t kLead = 2;  // Frames in front of a causal convolution.

std::uint64_t positive(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); }

// A level of the decoder, as its first block with another number of channels meets it.
struct DecoderLevel {
    std::uint64_t inputs = 0;  // Channels.
    std::uint64_t outputs = 0;
    std::uint64_t guide = 0;
    std::uint64_t frames = 0;
    std::uint64_t height = 0;
    std::uint64_t width = 0;
};

// oneDNN arranges channels in blocks of 16 and fills up the last one.
std::uint64_t in_blocks(std::uint64_t channels) { return (channels + 15) / 16 * 16; }

// at::conv3d leaves small float32 inputs, and bfloat16 without AVX-512, to its own matrix product over columns
// (use_mkldnn in ATen/native/Convolution.cpp; the product there leaves out the width).
bool goes_to_library(std::uint64_t channels, const DecoderLevel& level, const Placement& placement) {
    constexpr std::uint64_t kLargestSmall = 20480;
    if (!placement.device.is_cpu()) return true;
    if (placement.dtype != at::kFloat) return at::get_cpu_capability().starts_with("AVX512");
    return channels * (level.frames + kLead) * level.height > kLargestSmall;
}

// Beside its led input, in values a pixel: both sides in blocks; or a column of 27 places for each input, and the
// result.
std::uint64_t convolution_copies(std::uint64_t inputs, const DecoderLevel& level, const Placement& placement) {
    constexpr std::uint64_t kKernel = 27;
    if (goes_to_library(inputs, level, placement))
        return (level.frames + kLead) * in_blocks(inputs) + level.frames * in_blocks(level.outputs);
    return level.frames * (kKernel * inputs + level.outputs);
}

// While a norm is shifted by the guide: its input, its result and the scale; and the pointwise convolution. In bfloat16
// oneDNN's has both sides in blocks and sums of the size of its result in float32. In float32 it needs none of them
// with one thread, and with more stays below the convolution that follows.
std::uint64_t norm_values(std::uint64_t channels, const DecoderLevel& level, const Placement& placement) {
    const bool sums_apart = placement.device.is_cpu() && placement.dtype == at::kBFloat16;
    if (!sums_apart || !goes_to_library(channels, level, placement)) return 4 * level.frames * channels;
    return level.frames * (3 * channels + in_blocks(level.guide) + 3 * in_blocks(channels));
}

// The widest moment of the level's first block: either norm or either convolution. A convolution stands beside its
// input before and after it was normed (activated in the same memory), the led one, and for the second one the block's.
std::uint64_t level_activations(const DecoderLevel& level, const Placement& placement) {
    const std::uint64_t led = level.frames + kLead;
    const std::uint64_t kept = level.frames * level.inputs;
    const std::uint64_t first = 2 * level.frames * level.inputs + led * level.inputs;
    const std::uint64_t second = kept + 2 * level.frames * level.outputs + led * level.outputs;
    return level.height * level.width *
           std::max({norm_values(level.inputs, level, placement), kept + norm_values(level.outputs, level, placement),
                     first + convolution_copies(level.inputs, level, placement),
                     second + convolution_copies(level.outputs, level, placement)});
}

}  // namespace

std::uint64_t transformer_activations(const DenoiserShape& shape, const Placement& placement) {
    // In a block's feed-forward: the residual, the modulated rows, four times the width inside, and the result; one
    // more for the norms around it.
    constexpr std::uint64_t kRowsAlive = 8;
    return kRowsAlive * shape.rows * shape.tokens * shape.width * element_size(placement);
}

std::uint64_t adapted_activations(const DenoiserShape& shape, std::uint64_t face_rows, const Placement& placement) {
    // Of an adapted block: residual, modulated rows apart and joined, heads before and after the rotation, attended
    // rows, what the face adds. And the stream of the row that runs without the adapter.
    constexpr std::uint64_t kRowsAlive = 13;
    const std::uint64_t tokens = shape.tokens + face_rows;
    return (kRowsAlive * shape.rows + 1) * tokens * shape.width * element_size(placement);
}

std::uint64_t t5_activations(const T5Config& config, std::uint64_t tokens, const Placement& placement) {
    // gelu_new is made of separate operators, each with a result of the feed-forward's width.
    constexpr std::uint64_t kInnerAlive = 8;
    constexpr std::uint64_t kRowsAlive = 8;
    const std::uint64_t inner = kInnerAlive * tokens * positive(config.d_ff);
    const std::uint64_t rows = kRowsAlive * tokens * positive(config.d_model);
    const std::uint64_t bias = 2 * positive(config.num_heads) * tokens * tokens;
    return (inner + rows + bias) * element_size(placement);
}

std::uint64_t clip_activations(const magic_mirror::ClipVisionShape& shape, std::uint64_t pictures,
                               const Placement& placement) {
    const std::uint64_t side = positive(shape.image_size / shape.patch_size);
    const std::uint64_t rows = pictures * (side * side + 1);
    // Every layer's result is kept for the taps.
    const std::uint64_t kept = positive(shape.num_hidden_layers) + 8;
    return rows * (kept * positive(shape.hidden_size) + 3 * positive(shape.intermediate_size)) *
           element_size(placement);
}

std::uint64_t decoder_activations(const VaeConfig& config, std::uint64_t latents, std::uint64_t height,
                                  std::uint64_t width, const Placement& placement) {
    const std::vector<std::int64_t> widths(config.block_out_channels.rbegin(), config.block_out_channels.rend());
    std::uint64_t frames = latents < 2 ? latents : 2 + latents % 2;  // Of the longest chunk.
    std::uint64_t kept = 0, widest = 0, guides = 0;
    for (std::size_t level = 0; level < widths.size(); ++level) {
        const std::uint64_t outputs = positive(widths[level]);
        const std::uint64_t inputs = level == 0 ? outputs : positive(widths[level - 1]);
        const std::uint64_t guide = positive(config.latent_channels);
        const std::uint64_t cells = height * width;
        const std::uint64_t convolutions = 2 * positive(config.layers_per_block + 1);
        // The last two frames in front of every convolution, for the next chunk.
        if (latents > 3) kept += cells * 2 * (inputs + (convolutions - 1) * outputs);
        guides += cells * frames * guide;
        widest = std::max(widest, level_activations({inputs, outputs, guide, frames, height, width}, placement));
        if (level + 1 == widths.size()) break;
        height *= 2;
        width *= 2;
        if (static_cast<std::int64_t>(level) < config.temporal_levels() && frames > 1)
            frames = frames % 2 == 1 ? 2 * frames - 1 : 2 * frames;
    }
    return (kept + widest + guides) * element_size(placement);
}

std::uint64_t tiled_decoder_activations(const VaeConfig& config, const Tiling& tiling, std::uint64_t latents,
                                        std::uint64_t height, std::uint64_t width, const Placement& placement) {
    const TileGrid grid = TileGrid::for_decoding(config, tiling);
    if (!grid.cuts(static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)))
        return decoder_activations(config, latents, height, width, placement);
    const std::uint64_t scale = positive(config.spatial_compression());
    const std::uint64_t frames = positive(config.decoded_frames(static_cast<std::int64_t>(latents)));
    const std::uint64_t a_cell = scale * scale * frames * positive(config.out_channels) * element_size(placement);
    std::uint64_t widest = 0, done = 0;
    for (std::uint64_t y = 0; y < height; y += positive(grid.height.stride)) {
        for (std::uint64_t x = 0; x < width; x += positive(grid.width.stride)) {
            const std::uint64_t rows = std::min(positive(grid.height.tile), height - y);
            const std::uint64_t columns = std::min(positive(grid.width.tile), width - x);
            widest = std::max(widest, done + decoder_activations(config, latents, rows, columns, placement));
            done += rows * columns * a_cell;
        }
    }
    return widest;
}

}  // namespace mirror::engine
