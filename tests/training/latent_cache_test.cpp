// Latents that are kept on the disk for other runs.

#include <gtest/gtest.h>

#include "engine/training/latent_cache.h"
#include "tests/support/deterministic.h"
#include "tests/support/scratch_folder.h"
#include "tests/vae/vae_fixtures.h"

namespace mirror::engine::training {
namespace {

// Two autoencoders that differ in their weights alone.
enum class Weights { These, Others };

LatentSource source(const std::string& fingerprint, Weights weights = Weights::These, double scaling_factor = 1.15) {
    WeightScope scope = engine::testing::deterministic_weights();
    if (weights == Weights::Others) scope = scope / "others";
    VaeConfig config = engine::testing::even_config();
    config.scaling_factor = scaling_factor;
    return {std::make_shared<CogVideoXVae>(scope, config), at::kCPU, fingerprint};
}

DrawnOptions small_clips(const std::filesystem::path& cache) {
    DrawnOptions options;
    options.width = options.height = options.scenes.width = options.scenes.height = 32;
    options.frames = 5;
    options.cache = cache;
    return options;
}

std::size_t files_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(LatentCache, KeepsClipsForOtherRuns) {
    const mirror::testing::ScratchFolder folder;
    LatentCache in_memory(source("a"), small_clips({}), people::Split::Train, 5);
    LatentCache first(source("a"), small_clips(folder.path()), people::Split::Train, 5);
    LatentCache second(source("a", Weights::Others), small_clips(folder.path()), people::Split::Train, 5);
    for (const bool still : {true, false}) {
        const LatentClip& wanted = in_memory.clip(70, still);
        for (LatentCache* cache : {&first, &second}) {
            const LatentClip& clip = cache->clip(70, still);
            EXPECT_TRUE(at::equal(clip.latents, wanted.latents)) << still;
            EXPECT_TRUE(at::equal(clip.face_area, wanted.face_area)) << still;
            EXPECT_EQ(clip.scene.seed, wanted.scene.seed);
            EXPECT_NEAR(clip.first_face.landmarks[4].y, wanted.first_face.landmarks[4].y, 1e-4);
        }
    }
    EXPECT_EQ(files_in(folder.path()), 2u) << "one block of pictures, one of clips";
}

TEST(LatentCache, TakesNothingOfAnotherAutoencoderScaleSeedOrPeople) {
    const mirror::testing::ScratchFolder folder;
    LatentCache(source("a"), small_clips(folder.path()), people::Split::Train, 5).clip(0, true);
    LatentCache(source("b"), small_clips(folder.path()), people::Split::Train, 5).clip(0, true);
    LatentCache(source("a"), small_clips(folder.path()), people::Split::Train, 6).clip(0, true);
    LatentCache(source("a"), small_clips(folder.path()), people::Split::Validation, 5).clip(0, true);
    LatentCache(source("a", Weights::These, 0.7), small_clips(folder.path()), people::Split::Train, 5).clip(0, true);
    EXPECT_EQ(files_in(folder.path()), 5u);
}

TEST(LatentCache, DrawsPairsThatDifferInTheActionAlone) {
    DrawnOptions options = small_clips({});
    options.pairs = true;
    LatentCache cache(source("a"), options, people::Split::Train, 5);
    for (std::int64_t item = 0; item < 8; item += 2) {
        people::SceneRequest first = cache.clip(item, false).scene;
        const people::SceneRequest& second = cache.clip(item + 1, false).scene;
        EXPECT_NE(first.action, second.action);
        EXPECT_FALSE(people::is_held_out(second.action, second.place));
        first.action = second.action;
        EXPECT_EQ(people::render(first).rgb, people::render(second).rgb);
    }
}

TEST(LatentCache, MakesADamagedFileAgain) {
    const mirror::testing::ScratchFolder folder;
    const at::Tensor wanted =
        LatentCache(source("a"), small_clips(folder.path()), people::Split::Train, 5).clip(3, true).latents;
    const auto file = std::filesystem::directory_iterator(folder.path())->path();
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    LatentCache again(source("a"), small_clips(folder.path()), people::Split::Train, 5);
    EXPECT_TRUE(at::equal(again.clip(3, true).latents, wanted));
}

}  // namespace
}  // namespace mirror::engine::training
