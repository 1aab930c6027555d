// Whole encoder and decoder against diffusers' AutoencoderKLCogVideoX.

#include "tests/vae/vae_fixtures.h"

namespace mirror::engine::testing {
namespace {

at::Tensor frames(std::int64_t count, std::int64_t height = 16, std::int64_t width = 16) {
    return deterministic_input("input.sample", {1, 3, count, height, width});
}

at::Tensor latents(std::int64_t count, std::int64_t height = 4, std::int64_t width = 6) {
    return deterministic_input("input.latents", {1, 4, count, height, width});
}

struct EncodeCase {
    std::int64_t frames;
    Reference even, widening;
};

TEST(VaeReference, Encode_GivesTheMomentsOfDiffusers) {
    const EncodeCase cases[] = {
        {1,
         {{1, 8, 1, 2, 2}, 1.717475, 11.680302, {0.272517, 0.038723}},
         {{1, 8, 1, 2, 2}, 0.827012, 7.556375, {-0.345275, -0.087017}}},
        {8,
         {{1, 8, 2, 2, 2}, 0.145634, 19.803856, {0.463011, 0.338112}},
         {{1, 8, 2, 2, 2}, -4.415518, 19.453647, {0.030157, 0.585669}}},
        {9,
         {{1, 8, 3, 2, 2}, -3.887720, 25.587841, {0.166803, 0.126742}},
         {{1, 8, 3, 2, 2}, 4.078221, 28.230957, {0.069972, 0.935448}}},
        {17,
         {{1, 8, 5, 2, 2}, -8.239727, 49.958525, {0.063956, -0.820967}},
         {{1, 8, 5, 2, 2}, 0.807124, 54.593820, {0.061073, 0.057232}}},
    };
    const CogVideoXVae even = deterministic_vae(even_config()), widening = deterministic_vae(widening_config());
    for (const auto& test : cases) {
        SCOPED_TRACE(test.frames);
        expect_matches(raw_moments(even.encode(frames(test.frames))), test.even, kNetworkTolerance);
        expect_matches(raw_moments(widening.encode(frames(test.frames))), test.widening, kNetworkTolerance);
    }
}

// Even latent counts give 4 F frames, odd ones 4 F - 3.
TEST(VaeReference, Decode_GivesTheFramesOfDiffusers) {
    const EncodeCase cases[] = {
        {1,
         {{1, 3, 1, 32, 48}, 834.005372, 2618.836134, {0.303560, -0.240277}},
         {{1, 3, 1, 32, 48}, 684.890664, 2762.238245, {0.426813, -0.229021}}},
        {2,
         {{1, 3, 8, 32, 48}, 6876.903594, 22636.794462, {-0.137270, -0.006144}},
         {{1, 3, 8, 32, 48}, 7471.547477, 23518.663245, {-0.474142, -0.529137}}},
        {3,
         {{1, 3, 9, 32, 48}, 8242.674816, 28228.701427, {0.411220, 0.047767}},
         {{1, 3, 9, 32, 48}, 7053.342487, 25773.309814, {0.905995, 0.023746}}},
        {5,
         {{1, 3, 17, 32, 48}, 11994.065918, 45409.791781, {-0.200499, -0.222872}},
         {{1, 3, 17, 32, 48}, 13926.686854, 43753.918743, {-0.271434, -0.456569}}},
    };
    const CogVideoXVae even = deterministic_vae(even_config()), widening = deterministic_vae(widening_config());
    for (const auto& test : cases) {
        SCOPED_TRACE(test.frames);
        expect_matches(even.decode(latents(test.frames)), test.even, kNetworkTolerance);
        expect_matches(widening.decode(latents(test.frames)), test.widening, kNetworkTolerance);
    }
}

Tiling small_tiles() {
    Tiling tiling;
    tiling.tile_height = tiling.tile_width = 32;
    tiling.overlap_height = tiling.overlap_width = 0.25;
    return tiling;
}

TEST(VaeReference, TiledDecode_MixesNeighboursAsDiffusersDoes) {
    const at::Tensor input = latents(3, 6, 7);
    const CogVideoXVae even = deterministic_vae(even_config()), widening = deterministic_vae(widening_config());
    expect_matches(even.decode(input), {{1, 3, 9, 48, 56}, 17446.095233, 48086.016611, {-0.295530, -0.014158}},
                   kNetworkTolerance);
    expect_matches(widening.decode(input), {{1, 3, 9, 48, 56}, 15858.736614, 44865.780218, {0.024965, -0.028504}},
                   kNetworkTolerance);
    expect_matches(even.decode(input, small_tiles()),
                   {{1, 3, 9, 48, 56}, 17231.021836, 47507.049587, {-0.235244, -0.027414}}, kNetworkTolerance);
    expect_matches(widening.decode(input, small_tiles()),
                   {{1, 3, 9, 48, 56}, 17834.316133, 46087.820403, {0.027440, -0.040207}}, kNetworkTolerance);
}

TEST(VaeReference, TiledEncode_MixesNeighboursAsDiffusersDoes) {
    const at::Tensor input = frames(9, 48, 56);
    const CogVideoXVae even = deterministic_vae(even_config()), widening = deterministic_vae(widening_config());
    expect_matches(raw_moments(even.encode(input, small_tiles())),
                   {{1, 8, 3, 6, 7}, -13.866213, 384.991539, {0.528129, -0.362083}}, kNetworkTolerance);
    expect_matches(raw_moments(widening.encode(input, small_tiles())),
                   {{1, 8, 3, 6, 7}, -119.925571, 465.907724, {-0.214121, 0.879890}}, kNetworkTolerance);
}

TEST(VaeReference, EncodeThenDecode_HandlesABatch) {
    const CogVideoXVae vae = deterministic_vae(even_config());
    const at::Tensor sample = deterministic_input("input.sample", {4, 3, 8, 16, 16});
    expect_matches(vae.decode(vae.encode(sample).mean),
                   {{4, 3, 8, 16, 16}, 505.671040, 5378.296069, {0.017259, 0.114237}}, kNetworkTolerance);
}

TEST(VaeReference, ParameterNamesAndCount_AreThoseOfThePublishedFiles) {
    const auto count = [](const VaeConfig& config, VaeParts parts) {
        auto recorder = std::make_shared<ShapeRecorder>();
        const CogVideoXVae vae(WeightScope(recorder, Placement{}), config, parts);
        return std::pair(recorder->entries().size(), recorder->parameter_count());
    };
    EXPECT_EQ(count(VaeConfig{}, VaeParts::Whole), std::pair(std::size_t{436}, std::int64_t{215583907}));
    EXPECT_EQ(count(even_config(), VaeParts::Whole), std::pair(std::size_t{236}, std::int64_t{65195}));
    EXPECT_EQ(count(widening_config(), VaeParts::Whole), std::pair(std::size_t{244}, std::int64_t{510547}));
    EXPECT_LT(count(VaeConfig{}, VaeParts::DecoderOnly).second, 215583907);
}

}  // namespace
}  // namespace mirror::engine::testing
