#include "engine/session/activation_sizes.h"

#include <algorithm>
#include <vector>

namespace mirror::engine {

namespace {

std::uint64_t element_size(const Placement& placement) { return c10::elementSize(placement.dtype); }

// oneDNN arranges channels in blocks. With fewer, the convolution is a matrix product over a column for each place of
// the kernel.
constexpr std::uint64_t kBlock = 16;
constexpr std::uint64_t kKernel = 27;
constexpr std::uint64_t kLead = 2;  // Frames in front of a causal convolution.

std::uint64_t blocks_of(std::uint64_t channels) { return (channels + kBlock - 1) / kBlock * kBlock; }

std::uint64_t positive(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); }

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
        const std::uint64_t cells = height * width;
        const std::uint64_t convolutions = 2 * positive(config.layers_per_block + 1);
        // The last two frames in front of every convolution, for the next chunk.
        if (latents > 3) kept += cells * 2 * (inputs + (convolutions - 1) * outputs);
        guides += cells * frames * positive(config.latent_channels);
        // The first convolution of the level: its input as it came, normed and activated; led by two frames; the copy
        // that the library makes of that; the result, and again if the library pads its channels.
        const std::uint64_t padded = outputs % kBlock == 0 ? 0 : blocks_of(outputs);
        const std::uint64_t copied = inputs < kBlock ? kKernel * inputs * frames : blocks_of(inputs) * (frames + kLead);
        widest =
            std::max(widest, cells * (frames * (3 * inputs + outputs + padded) + (frames + kLead) * inputs + copied));
        if (level + 1 == widths.size()) break;
        height *= 2;
        width *= 2;
        if (static_cast<std::int64_t>(level) < config.temporal_levels() && frames > 1)
            frames = frames % 2 == 1 ? 2 * frames - 1 : 2 * frames;
    }
    return (kept + widest + guides) * element_size(placement);
}

}  // namespace mirror::engine
