// Single modules, and the points inside the networks, against diffusers.

#include "engine/vae/vae_network.h"
#include "tests/vae/vae_fixtures.h"

namespace mirror::engine::testing {
namespace {

TEST(VaeLayers, CausalConv_CarriesTheLastFramesIntoTheNextChunk) {
    const CausalConv3d conv(deterministic_weights(), 2, 3);
    const at::Tensor x = deterministic_input("input.x", {1, 2, 5, 4, 4});
    TimeCache cache;
    cache.begin_chunk(TimeCache::Chunk::Inner);
    expect_matches(conv(x.narrow(2, 0, 3), cache), {{1, 3, 3, 4, 4}, -21.725448, 84.571274, {-0.590713, -0.093490}},
                   kModuleTolerance);
    cache.begin_chunk(TimeCache::Chunk::Last);
    expect_matches(conv(x.narrow(2, 3, 2), cache), {{1, 3, 2, 4, 4}, -6.241504, 53.299657, {0.652590, -0.577156}},
                   kModuleTolerance);
}

// The lead is the first frame repeated, not zeros; a whole clip and its chunks give the same numbers.
TEST(VaeLayers, CausalConv_ChunksGiveTheWholeClip) {
    const CausalConv3d conv(deterministic_weights(), 2, 3);
    const at::Tensor x = deterministic_input("input.x", {1, 2, 5, 4, 4});
    const auto in_chunks = [&](std::vector<std::int64_t> sizes) {
        TimeCache cache;
        std::vector<at::Tensor> results;
        std::int64_t begin = 0;
        for (const std::int64_t size : sizes) {
            cache.begin_chunk(TimeCache::Chunk::Inner);
            results.push_back(conv(x.narrow(2, begin, size), cache));
            begin += size;
        }
        return at::cat(results, 2);
    };
    // The same products in another order of summation: a few units in the last place of values around 1.
    EXPECT_TRUE(at::allclose(in_chunks({5}), in_chunks({1, 1, 3}), 0.0, 2e-6));
    EXPECT_TRUE(at::allclose(in_chunks({5}), in_chunks({2, 3}), 0.0, 2e-6));
}

TEST(VaeLayers, Downsampler_AveragesPairsAndPadsRightAndBottom) {
    const Downsampler3d halving(deterministic_weights(), 2, Downsampler3d::Time::Halve);
    const auto input = [](std::int64_t t) { return deterministic_input("input.x", {1, 2, t, 4, 6}); };
    expect_matches(halving(input(1)), {{1, 2, 1, 2, 3}, 1.550307, 9.602638, {0.510685, 1.284423}}, kModuleTolerance);
    expect_matches(halving(input(4)), {{1, 2, 2, 2, 3}, 0.389824, 12.972708, {0.429790, 1.661337}}, kModuleTolerance);
    expect_matches(halving(input(5)), {{1, 2, 3, 2, 3}, -0.574620, 20.813744, {-0.422501, 1.650726}}, kModuleTolerance);
    const Downsampler3d keeping(deterministic_weights(), 2, Downsampler3d::Time::Keep);
    expect_matches(keeping(input(3)), {{1, 2, 3, 2, 3}, 2.942927, 28.722669, {0.179735, 0.575699}}, kModuleTolerance);
}

TEST(VaeLayers, Upsampler_LeavesTheFirstOfAnOddNumberOfFramesOne) {
    const Upsampler3d doubling(deterministic_weights(), 2, Upsampler3d::Time::Double);
    const auto input = [](std::int64_t t) { return deterministic_input("input.x", {1, 2, t, 3, 2}); };
    expect_matches(doubling(input(1)), {{1, 2, 1, 6, 4}, -20.020108, 32.955123, {0.043895, -0.042763}},
                   kModuleTolerance);
    expect_matches(doubling(input(2)), {{1, 2, 4, 6, 4}, 34.255800, 120.439484, {0.130267, 0.257789}},
                   kModuleTolerance);
    expect_matches(doubling(input(3)), {{1, 2, 5, 6, 4}, 65.432873, 147.030079, {0.550609, 0.737784}},
                   kModuleTolerance);
}

TEST(VaeLayers, SpatialNorm_EnlargesTheFirstLatentApart) {
    const SpatialNorm3d norm(deterministic_weights(), 4, 3, 2);
    const auto run = [&](std::int64_t t, std::int64_t latents) {
        LatentGuide guide(deterministic_input("input.zq", {1, 3, latents, 2, 2}));
        return norm(deterministic_input("input.x", {1, 4, t, 4, 4}), guide);
    };
    expect_matches(run(1, 1), {{1, 4, 1, 4, 4}, 29.991007, 96.555337, {0.732376, 0.393448}}, kModuleTolerance);
    expect_matches(run(4, 2), {{1, 4, 4, 4, 4}, 49.118670, 329.776073, {0.185780, 0.176596}}, kModuleTolerance);
    expect_matches(run(5, 3), {{1, 4, 5, 4, 4}, -9.716320, 382.525764, {-0.753618, -0.983224}}, kModuleTolerance);
}

TEST(VaeLayers, Decoder_MatchesAtEveryPoint) {
    const VaeDecoder decoder(deterministic_weights() / "decoder", widening_config());
    const at::Tensor latents = deterministic_input("input.latents", {1, 4, 3, 4, 6});
    LatentGuide guide(latents);
    TimeCache cache;
    cache.begin_chunk(TimeCache::Chunk::Last);
    at::Tensor h = decoder.conv_in(latents, cache);
    expect_matches(h, {{1, 32, 3, 4, 6}, 12.844443, 1555.634992, {-0.221783, -0.299432}}, kNetworkTolerance);
    expect_matches(decoder.mid_resnets[0].norm1(h, guide),
                   {{1, 32, 3, 4, 6}, 106.008557, 2412.509531, {-0.643530, -1.351603}}, kNetworkTolerance);
    for (const auto& resnet : decoder.mid_resnets) h = resnet(h, guide, cache);
    expect_matches(h, {{1, 32, 3, 4, 6}, 73.104144, 2756.070960, {-0.668332, 0.864654}}, kNetworkTolerance);
    const Reference blocks[] = {{{1, 32, 5, 8, 12}, -1831.739961, 20365.416121, {0.046672, -1.262373}},
                                {{1, 16, 9, 16, 24}, 5028.879901, 85887.990768, {-0.258190, -0.858709}},
                                {{1, 16, 9, 32, 48}, 47052.364294, 391135.461532, {0.915049, 0.781297}},
                                {{1, 8, 9, 32, 48}, 45503.626995, 230853.726375, {-0.716291, 0.175445}}};
    for (std::size_t i = 0; i < 4; ++i) {
        SCOPED_TRACE(i);
        for (const auto& resnet : decoder.up_blocks[i].resnets) h = resnet(h, guide, cache);
        if (decoder.up_blocks[i].upsampler) h = (*decoder.up_blocks[i].upsampler)(h);
        expect_matches(h, blocks[i], kNetworkTolerance);
    }
    expect_matches(decoder.norm_out(h, guide), {{1, 8, 9, 32, 48}, -1527.018277, 121899.826437, {-0.960091, -1.362743}},
                   kNetworkTolerance);
}

TEST(VaeLayers, Encoder_MatchesAtEveryPoint) {
    // The whole clip of nine frames is one chunk.
    const VaeEncoder encoder(deterministic_weights() / "encoder", widening_config());
    TimeCache cache;
    cache.begin_chunk(TimeCache::Chunk::Last);
    at::Tensor h = encoder.conv_in(deterministic_input("input.sample", {1, 3, 9, 16, 16}), cache);
    expect_matches(h, {{1, 8, 9, 16, 16}, -1001.827335, 13781.515352, {0.037808, -0.524386}}, kNetworkTolerance);
    const Reference blocks[] = {{{1, 8, 5, 8, 8}, 80.835816, 1891.479134, {2.086072, 0.817438}},
                                {{1, 16, 3, 4, 4}, -28.005090, 521.362221, {-3.575875, 0.309333}},
                                {{1, 16, 3, 2, 2}, -30.347659, 130.200964, {-1.404580, -1.142612}},
                                {{1, 32, 3, 2, 2}, -37.930135, 294.174325, {-1.778672, 2.327478}}};
    for (std::size_t i = 0; i < 4; ++i) {
        SCOPED_TRACE(i);
        for (const auto& resnet : encoder.down_blocks[i].resnets) h = resnet(h, cache);
        if (encoder.down_blocks[i].downsampler) h = (*encoder.down_blocks[i].downsampler)(h);
        expect_matches(h, blocks[i], kNetworkTolerance);
    }
    for (const auto& resnet : encoder.mid_resnets) h = resnet(h, cache);
    expect_matches(h, {{1, 32, 3, 2, 2}, -4.854636, 341.046425, {-1.294552, 2.440567}}, kNetworkTolerance);
}

}  // namespace
}  // namespace mirror::engine::testing
