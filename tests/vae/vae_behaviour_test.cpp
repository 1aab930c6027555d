// What the autoencoder promises beyond numbers: chunks, streaming, tiles, 16 bit, refusals.

#include "engine/core/result.h"
#include "engine/vae/vae_network.h"
#include "engine/vae/vae_tiling.h"
#include "tests/vae/vae_fixtures.h"

namespace mirror::engine::testing {
namespace {

at::Tensor latents(std::int64_t count, std::int64_t height = 4, std::int64_t width = 6) {
    return deterministic_input("input.latents", {1, 4, count, height, width});
}

// Group norm statistics run over a chunk. The reference for one pass is what a decoder without chunks would give.
TEST(Vae, DecodingInOnePass_WouldGiveOtherNumbers) {
    const VaeDecoder decoder(deterministic_weights() / "decoder", even_config());
    TimeCache cache;
    cache.begin_chunk(TimeCache::Chunk::Last);
    const at::Tensor at_once = decoder(latents(5), cache);
    EXPECT_NEAR(at_once.sum(at::kDouble).item<double>(), 12069.050908, 0.5);
    const at::Tensor in_chunks = deterministic_vae(even_config()).decode(latents(5));
    EXPECT_GT(at::max(at::abs(at_once - in_chunks)).item<double>(), 0.01);
}

TEST(Vae, Decode_HandsOverChunksThatAddUpToTheClip) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    for (const std::int64_t count : {1, 2, 3, 5, 6}) {
        std::vector<at::Tensor> chunks;
        vae.decode(latents(count), Tiling::off(), [&](at::Tensor frames) { chunks.push_back(frames); });
        EXPECT_EQ(static_cast<std::int64_t>(chunks.size()), CogVideoXVae::decode_chunks(count));
        EXPECT_EQ(chunks.front().size(2), count == 1 ? 1 : count % 2 == 0 ? 8 : 9);
        EXPECT_TRUE(at::equal(at::cat(chunks, 2), vae.decode(latents(count))));
    }
    EXPECT_EQ(CogVideoXVae::decode_chunks(13), 6);  // 3, 2, 2, 2, 2, 2
}

TEST(Vae, Decode_EndsWhenTheReceiverThrows) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    int received = 0;
    const auto decode = [&] {
        vae.decode(latents(7), Tiling::off(), [&](const at::Tensor&) {
            if (++received == 2) throw EngineError(ErrorCode::Cancelled, "Cancelled.");
        });
    };
    EXPECT_THROW(decode(), EngineError);
    EXPECT_EQ(received, 2);
}

TEST(Vae, Decode_GivesABatchTheSameNumbersAsEachAlone) {
    const CogVideoXVae vae = deterministic_vae(widening_config());
    const at::Tensor both = at::cat({latents(3), latents(3).flip(2)}, 0);
    const at::Tensor together = vae.decode(both);
    // Convolutions of another batch size may sum in another order.
    EXPECT_TRUE(at::allclose(together.narrow(0, 1, 1), vae.decode(both.narrow(0, 1, 1)), 0.0, 1e-4));
}

TEST(Vae, Tiling_LeavesSmallFramesAlone) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    Tiling tiling;
    tiling.tile_height = 32;  // Exactly the height: not cut.
    tiling.tile_width = 48;
    EXPECT_TRUE(at::equal(vae.decode(latents(3), tiling), vae.decode(latents(3))));
}

TEST(Vae, Tiling_HandsOverTheSameChunksAndTellsOfEachPart) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    Tiling tiling;
    tiling.tile_height = tiling.tile_width = 32;  // 4 latents, 3 from one tile to the next.
    tiling.overlap_height = tiling.overlap_width = 0.25;
    for (const std::int64_t count : {1, 3, 6}) {
        const at::Tensor input = latents(count, 5, 9);
        std::vector<at::Tensor> chunks;
        std::int64_t parts = 0, parts_before_frames = 0;
        vae.decode(
            input, tiling,
            [&](at::Tensor frames) {
                if (chunks.empty()) parts_before_frames = parts;
                chunks.push_back(std::move(frames));
            },
            [&] { ++parts; });
        EXPECT_EQ(static_cast<std::int64_t>(chunks.size()), CogVideoXVae::decode_chunks(count));
        EXPECT_EQ(parts, 6 * CogVideoXVae::decode_chunks(count));
        EXPECT_EQ(parts, CogVideoXVae::decode_parts(vae.config(), input, tiling));
        EXPECT_EQ(parts, parts_before_frames);
        EXPECT_EQ(at::cat(chunks, 2).sizes().vec(), vae.decode(input).sizes().vec());
    }
    EXPECT_EQ(CogVideoXVae::decode_parts(vae.config(), latents(6), Tiling::off()), 3);
}

TEST(Vae, Tiling_StandardTilesAreHalfTheSampleSize) {
    const Tiling tiling = Tiling::standard(VaeConfig{});
    EXPECT_EQ(tiling.tile_height, 240);
    EXPECT_EQ(tiling.tile_width, 360);
    EXPECT_TRUE(Tiling::off().is_off());
}

TEST(Vae, Tiling_EvenTilesAreTheStandardOnesAtThePublishedSizes) {
    const VaeConfig config;
    const TileGrid standard = TileGrid::for_decoding(config, Tiling::standard(config));
    const TileGrid even = TileGrid::for_decoding(config, Tiling::even(config));
    for (const auto axis : {&TileGrid::height, &TileGrid::width}) {
        EXPECT_EQ((even.*axis).tile, (standard.*axis).tile);
        EXPECT_EQ((even.*axis).stride, (standard.*axis).stride);
        EXPECT_EQ((even.*axis).blend, (standard.*axis).blend);
        EXPECT_EQ((even.*axis).keep, (standard.*axis).keep);
    }
}

// A decoder's seams are soft; a moved tile would double or lose whole latents.
TEST(Vae, Tiling_EvenTilesKeepEverySizeAndPlace) {
    VaeConfig config = even_config();
    for (const auto& [height, width] : {std::pair{64, 96}, {40, 72}, {48, 104}}) {
        config.sample_height = height;
        config.sample_width = width;
        const CogVideoXVae vae(deterministic_weights(), config);
        const TileGrid grid = TileGrid::for_decoding(config, Tiling::even(config));
        EXPECT_EQ(grid.height.keep, 8 * grid.height.stride);
        EXPECT_EQ(grid.width.keep, 8 * grid.width.stride);
        const at::Tensor input = latents(1, height / 8 + 1, width / 8 + 2);
        const at::Tensor tiled = vae.decode(input, Tiling::even(config));
        EXPECT_EQ(tiled.sizes().vec(), vae.decode(input).sizes().vec());
    }
}

TEST(Vae, Tiling_RefusesTilesWithoutSubstance) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    Tiling tiling;
    tiling.tile_height = tiling.tile_width = 4;
    EXPECT_THROW(vae.decode(latents(1), tiling), EngineError);
    tiling.tile_height = tiling.tile_width = 16;
    tiling.overlap_width = 1.0;
    EXPECT_THROW(vae.decode(latents(1), tiling), EngineError);
}

TEST(Vae, Tiling_RefusesASliverOfPixelsAndTakesThePublishedMinimum) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    const auto encode = [&](std::int64_t height, std::int64_t width) {
        Tiling tiling;
        tiling.tile_height = tiling.tile_width = 32;  // 26 and 25 pixels from one tile to the next.
        return vae.encode(deterministic_input("input.sample", {1, 3, 1, height, width}), tiling).mean.sizes().vec();
    };
    EXPECT_EQ(encode(40, 40), (std::vector<std::int64_t>{1, 4, 1, 5, 5}));
    EXPECT_EQ(encode(32, 32), (std::vector<std::int64_t>{1, 4, 1, 4, 4}));
    try {
        encode(32, 40);
        FAIL();
    } catch (const EngineError& error) {
        EXPECT_NE(std::string(error.what()).find("height 32 would have 6 pixels"), std::string::npos) << error.what();
    }
    EXPECT_THROW(encode(40, 104), EngineError);
}

// Weights from their names, except that the last bias of the encoder asks for impossible variances.
class ExtremeBias : public DeterministicSource {
public:
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override {
        if (name != "encoder.conv_out.conv.bias") return DeterministicSource::read(name, shape);
        return at::tensor({0.0f, 0.0f, 0.0f, 0.0f, 500.0f, -500.0f, 0.0f, 0.0f});
    }
};

TEST(Vae, Posterior_LimitsTheLogarithmOfTheVariance) {
    const CogVideoXVae vae(WeightScope(std::make_shared<ExtremeBias>(), Placement{}), even_config());
    const Posterior posterior = vae.encode(deterministic_input("input.sample", {1, 3, 1, 16, 16}));
    EXPECT_TRUE(posterior.logvar.select(1, 0).eq(20.0).all().item<bool>());
    EXPECT_TRUE(posterior.logvar.select(1, 1).eq(-30.0).all().item<bool>());
    EXPECT_TRUE(posterior.logvar.select(1, 2).abs().lt(20.0).all().item<bool>());
}

TEST(Vae, Posterior_SamplesWithTheNoiseItIsGiven) {
    const Posterior posterior{at::full({1}, 2.0), at::full({1}, 2.0 * std::log(3.0))};
    EXPECT_NEAR(posterior.sample(at::full({1}, 0.5)).item<double>(), 3.5, 1e-6);
}

TEST(Vae, BFloat16_StaysNearFloat32) {
    const CogVideoXVae exact = deterministic_vae(even_config()),
                       rounded = deterministic_vae(even_config(), at::kBFloat16);
    const at::Tensor expected = exact.decode(latents(3));
    const at::Tensor frames = rounded.decode(latents(3).to(at::kBFloat16));
    EXPECT_EQ(frames.scalar_type(), at::kBFloat16);
    // diffusers' own bfloat16 decode of such an autoencoder is off by at most 0.10 and 0.0065 on average.
    const at::Tensor error = at::abs(frames.to(at::kFloat) - expected);
    EXPECT_LT(error.max().item<double>(), 0.2);
    EXPECT_LT(error.mean().item<double>(), 0.013);
}

TEST(Vae, DecoderOnly_RefusesToEncode) {
    const CogVideoXVae vae(deterministic_weights(), even_config(), VaeParts::DecoderOnly);
    EXPECT_EQ(vae.decode(latents(1)).size(2), 1);
    EXPECT_THROW(vae.encode(at::zeros({1, 3, 1, 16, 16})), EngineError);
}

TEST(Vae, RefusesInputsOfTheWrongShape) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    EXPECT_THROW(vae.encode(at::zeros({1, 3, 1, 15, 16})), EngineError);
    EXPECT_THROW(vae.encode(at::zeros({1, 4, 1, 16, 16})), EngineError);
    EXPECT_THROW(vae.decode(at::zeros({1, 3, 1, 4, 4})), EngineError);
    EXPECT_THROW(vae.decode(at::zeros({1, 4, 0, 4, 4})), EngineError);
}

}  // namespace
}  // namespace mirror::engine::testing
