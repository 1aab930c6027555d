// The fitted map from latents to colours.

#include "engine/session/latent_colours.h"

#include <gtest/gtest.h>

#include "engine/session/model_folder.h"
#include "tests/session/tiny_checkpoint.h"

namespace mirror::engine::testing {

TEST(LatentColours, TheMapIsTheSameEveryTimeAndFollowsTheLatents) {
    const Placement placement;
    const CogVideoXVae vae = ModelFolder(tiny_checkpoint(), placement, WeightCheck::Finite).vae(VaeParts::Whole);
    const LatentColours first(vae, placement), second(vae, placement);
    const at::Tensor latents = at::linspace(-3, 3, 4 * 2 * 3 * 5).reshape({1, 4, 2, 3, 5});
    const auto frames = first(latents);
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0].width, 5);
    EXPECT_EQ(frames[0].height, 3);
    EXPECT_EQ(frames[0].rgb, second(latents)[0].rgb);
    EXPECT_NE(frames[0].rgb, frames[1].rgb);
}

TEST(LatentColours, PixelsAreRoundedHalfToEvenAndClamped) {
    at::Tensor samples = at::zeros({3, 1, 2});
    samples[0][0][0] = -5;
    samples[1][0][0] = 5;
    const Frame frame = frame_from_samples(samples);
    EXPECT_EQ(frame.rgb, (std::vector<std::uint8_t>{0, 255, 128, 128, 128, 128}));  // 127.5 rounds to the even 128.
}

}  // namespace mirror::engine::testing
