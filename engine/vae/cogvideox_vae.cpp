#include "engine/vae/cogvideox_vae.h"

#include <algorithm>

#include "engine/core/result.h"
#include "engine/vae/vae_network.h"
#include "engine/vae/vae_tiling.h"

namespace mirror::engine {

namespace {

// Frames that the networks see at a time. Group norms and caches make the numbers depend on them.
constexpr std::int64_t kEncodeChunk = 8;
constexpr std::int64_t kDecodeChunk = 2;

struct FrameRange {
    std::int64_t begin;
    std::int64_t end;
};

// Chunks of `size`; what is left over goes into the first.
std::vector<FrameRange> time_chunks(std::int64_t frames, std::int64_t size) {
    const std::int64_t count = std::max<std::int64_t>(frames / size, 1), remainder = frames % size;
    std::vector<FrameRange> chunks;
    for (std::int64_t i = 0; i < count; ++i) {
        chunks.push_back({i == 0 ? 0 : size * i + remainder, std::min(frames, size * (i + 1) + remainder)});
    }
    return chunks;
}

void require(bool condition, const std::string& sentence) {
    if (!condition) throw EngineError(ErrorCode::InvalidRequest, sentence);
}

// Runs the network over the chunks of a clip and hands over each result.
template <typename Network, typename Emit>
void run_whole(const Network& network, const at::Tensor& input, std::int64_t chunk_size, Emit emit) {
    TimeCache cache;
    const auto chunks = time_chunks(input.size(2), chunk_size);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        cache.begin_chunk(i + 1 == chunks.size() ? TimeCache::Chunk::Last : TimeCache::Chunk::Inner);
        emit(i, network(input.narrow(2, chunks[i].begin, chunks[i].end - chunks[i].begin), cache));
    }
}

// The same for tiles, each through the whole clip before the next one: its cache, the last frames in front of every
// convolution, is far larger than the results that wait for their neighbours.
template <typename Network, typename Emit>
void run_tiled(const Network& network, const TileGrid& grid, const at::Tensor& input, std::int64_t chunk_size,
               const std::function<void()>& after_part, Emit emit) {
    const auto inputs = grid.cut(input);
    using Rows = std::vector<std::vector<at::Tensor>>;
    std::vector<Rows> results(time_chunks(input.size(2), chunk_size).size(), Rows(inputs.size()));  // Of each chunk.
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        for (const at::Tensor& tile : inputs[i]) {
            run_whole(network, tile, chunk_size, [&](std::size_t chunk, at::Tensor result) {
                results[chunk][i].push_back(std::move(result));
                if (after_part) after_part();
            });
        }
    }
    for (Rows& chunk : results) emit(grid.join(std::move(chunk)));
}

template <typename Network, typename Emit>
void run(const Network& network, const std::optional<TileGrid>& grid, const at::Tensor& input, std::int64_t chunk_size,
         const std::function<void()>& after_part, Emit emit) {
    if (grid && grid->cuts(input.size(3), input.size(4))) {
        run_tiled(network, *grid, input, chunk_size, after_part, emit);
        return;
    }
    run_whole(network, input, chunk_size, [&](std::size_t /*chunk*/, at::Tensor result) {
        emit(std::move(result));
        if (after_part) after_part();
    });
}

}  // namespace

std::int64_t VaeConfig::temporal_levels() const {
    std::int64_t levels = 0;
    for (std::int64_t ratio = temporal_compression_ratio; ratio > 1; ratio /= 2) ++levels;
    return levels;
}

at::Tensor Posterior::sample(const at::Tensor& noise) const { return mean + at::exp(0.5 * logvar) * noise; }

CogVideoXVae::CogVideoXVae(const WeightScope& weights, const VaeConfig& config, VaeParts parts) : config_(config) {
    if (parts == VaeParts::Whole) encoder_ = std::make_shared<VaeEncoder>(weights / "encoder", config);
    decoder_ = std::make_shared<VaeDecoder>(weights / "decoder", config);
}

Posterior CogVideoXVae::encode(const at::Tensor& sample, const Tiling& tiling) const {
    require(encoder_ != nullptr, "This video autoencoder was loaded without its encoder.");
    require(sample.dim() == 5 && sample.size(1) == config_.in_channels && sample.size(2) > 0,
            "The frames to encode must be [batch, channels, frames, height, width] with as many channels as the "
            "autoencoder.");
    const std::int64_t step = config_.spatial_compression();
    require(sample.size(3) > 0 && sample.size(3) % step == 0 && sample.size(4) > 0 && sample.size(4) % step == 0,
            "The height and the width of frames to encode must be divisible by " + std::to_string(step) + ".");
    std::optional<TileGrid> grid;
    if (!tiling.is_off()) {
        grid = TileGrid::for_encoding(config_, tiling);
        grid->refuse_slivers(sample.size(3), sample.size(4), step);
    }
    std::vector<at::Tensor> chunks;
    run(*encoder_, grid, sample, kEncodeChunk, {}, [&](at::Tensor moments) { chunks.push_back(std::move(moments)); });
    const auto halves = at::cat(chunks, 2).chunk(2, 1);
    return {halves[0], at::clamp(halves[1], -30.0, 20.0)};
}

at::Tensor CogVideoXVae::decode(const at::Tensor& latents, const Tiling& tiling) const {
    std::vector<at::Tensor> chunks;
    decode(latents, tiling, [&](at::Tensor frames) { chunks.push_back(std::move(frames)); });
    return at::cat(chunks, 2);
}

void CogVideoXVae::decode(const at::Tensor& latents, const Tiling& tiling,
                          const std::function<void(at::Tensor frames)>& emit,
                          const std::function<void()>& after_part) const {
    require(latents.dim() == 5 && latents.size(1) == config_.latent_channels && latents.size(2) > 0,
            "The latents to decode must be [batch, channels, frames, height, width] with as many channels as the "
            "autoencoder.");
    std::optional<TileGrid> grid;
    if (!tiling.is_off()) grid = TileGrid::for_decoding(config_, tiling);
    run(*decoder_, grid, latents, kDecodeChunk, after_part, emit);
}

std::int64_t CogVideoXVae::decode_chunks(std::int64_t latent_frames) {
    return static_cast<std::int64_t>(time_chunks(latent_frames, kDecodeChunk).size());
}

std::int64_t CogVideoXVae::decode_parts(const VaeConfig& config, const at::Tensor& latents, const Tiling& tiling) {
    const std::int64_t chunks = decode_chunks(latents.size(2));
    if (tiling.is_off()) return chunks;
    const auto grid = TileGrid::for_decoding(config, tiling);
    return grid.cuts(latents.size(3), latents.size(4)) ? chunks * grid.tiles(latents.size(3), latents.size(4)) : chunks;
}

}  // namespace mirror::engine
