// AdamW against the published formulas, the learning rate, and the first weights of an autoencoder.

#include <gtest/gtest.h>

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "engine/training/adamw.h"
#include "engine/training/diffusion_loss.h"
#include "engine/training/drawn_data.h"
#include "engine/training/learning_rate.h"
#include "engine/training/linear_codec.h"
#include "engine/training/vae_start.h"

namespace mirror::engine::training {
namespace {

std::shared_ptr<TrainableStore> small_store() {
    const std::vector<ShapeRecorder::Entry> entries = {{"matrix", {4, 4}}, {"vector", {16}}};
    return std::make_shared<TrainableStore>(
        entries, [](const std::string&, at::IntArrayRef shape) { return at::ones(shape); }, at::kCPU);
}

TEST(AdamW, StepsAsPublished) {
    const auto store = small_store();
    AdamWSettings settings;
    settings.weight_decay = 0.1;
    settings.clip = 0;
    AdamW optimizer(store, settings);
    double m = 0, v = 0, w = 1;
    for (int n = 1; n <= 3; ++n) {
        const double g = 0.5 * n;
        store->gradients().fill_(g);
        optimizer.step(0.01, optimizer.gradient_norm());
        m = 0.9 * m + 0.1 * g;
        v = 0.95 * v + 0.05 * g * g;
        w = w * (1 - 0.01 * 0.1) -
            0.01 * (m / (1 - std::pow(0.9, n))) / (std::sqrt(v / (1 - std::pow(0.95, n))) + 1e-8);
    }
    const at::Tensor matrix = store->read("matrix", {4, 4});
    EXPECT_NEAR(matrix[2][3].item<double>(), w, 1e-6);
    EXPECT_EQ(store->gradients().abs().max().item<float>(), 0.0F);
    // Vectors are not decayed.
    EXPECT_GT(store->read("vector", {16})[0].item<double>(), w);
}

TEST(AdamW, ClipsByTheNormOfEverything) {
    const auto store = small_store();
    AdamWSettings settings;
    settings.weight_decay = 0;
    AdamW clipped(store, settings);
    store->gradients().fill_(100.0);
    const double norm = clipped.gradient_norm();
    EXPECT_GT(norm, 100.0);
    clipped.step(1e-3, norm);
    const at::Tensor first = clipped.state()[1].second;
    EXPECT_NEAR(first.norm().item<double>(), 0.1, 1e-5);  // (1 - beta1) times a gradient of length 1.
}

TEST(AdamW, KeepsMomentsInBfloat16IfTold) {
    const auto store = small_store();
    AdamWSettings settings;
    settings.bf16_moments = true;
    AdamW optimizer(store, settings);
    store->gradients().fill_(0.01);
    optimizer.step(1e-2, optimizer.gradient_norm());
    EXPECT_EQ(optimizer.state()[1].second.scalar_type(), at::kBFloat16);
    EXPECT_NEAR(store->read("vector", {16})[0].item<double>(), 0.99, 1e-3);
}

// As on a device, where whole buffers are updated: the step is taken with the moments as they are kept.
TEST(AdamW, StepsWithTheMomentsAsTheyAreKept) {
    const auto store = small_store();
    AdamWSettings settings;
    settings.bf16_moments = true;
    settings.weight_decay = 0;
    settings.clip = 0;
    AdamW optimizer(store, settings);
    const auto kept = [](double value) {
        return static_cast<double>(static_cast<at::BFloat16>(static_cast<float>(value)));
    };
    double m = 0, v = 0, w = 1;
    for (int n = 1; n <= 3; ++n) {
        const double g = 0.0123 * n;
        store->gradients().fill_(g);
        optimizer.step(0.01, optimizer.gradient_norm());
        m = kept(0.9 * m + 0.1 * g);
        v = kept(0.95 * v + 0.05 * g * g);
        w -= 0.01 * (m / (1 - std::pow(0.9, n))) / (std::sqrt(v / (1 - std::pow(0.95, n))) + 1e-8);
    }
    EXPECT_NEAR(store->read("vector", {16})[0].item<double>(), w, 1e-6);
}

TEST(AveragedWeights, AreInTheStoreOnlyForAWhile) {
    const auto store = small_store();
    AdamW optimizer(store, {});
    store->gradients().fill_(1.0);
    optimizer.step(0.1, optimizer.gradient_norm());
    const at::Tensor before = store->values().clone();
    {
        const AveragedWeights averaged(*store, optimizer);
        EXPECT_TRUE(store->values().equal(optimizer.average()));
        EXPECT_FALSE(store->values().equal(before));
    }
    EXPECT_TRUE(store->values().equal(before));
}

TEST(LearningRate, RisesAndFallsWithTheSamples) {
    LearningRate rate;
    rate.peak = 1.0;
    rate.last_fraction = 0.1;
    rate.warmup_samples = 10;
    rate.samples = 110;
    EXPECT_LT(rate.at(0), 0.1);
    EXPECT_DOUBLE_EQ(rate.at(10), 1.0);
    EXPECT_NEAR(rate.at(60), 0.55, 1e-9);
    EXPECT_NEAR(rate.at(110), 0.1, 1e-9);
}

TEST(NoiseTable, SpreadsTheTimestepsOfABatch) {
    const NoiseTable table({});
    RandomStream random(1, Purpose::Time, 0);
    const std::vector<std::int64_t> times = table.spread_timesteps(random, 8);
    ASSERT_EQ(times.size(), 8u);
    for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(times[static_cast<std::size_t>(i)] * 8 / table.timesteps(), i);
}

TEST(NoiseTable, TakesAsManyNoisyTimestepsAsIsAsked) {
    const NoiseTable table({});
    RandomStream random(1, Purpose::Time, 0);
    const std::vector<std::int64_t> times = table.spread_timesteps(random, 1000, 0.6);
    const auto noisy = std::count_if(times.begin(), times.end(), [&](std::int64_t time) {
        EXPECT_TRUE(time >= 0 && time < table.timesteps()) << time;
        return static_cast<double>(time) >= (1.0 - NoiseTable::kNoisyPart) * static_cast<double>(table.timesteps());
    });
    EXPECT_EQ(noisy, 600);
}

// Two pairs, [4, 1, 1, 1, 2]; the second has too much signal to count.
TEST(PairLoss, SeesOnlyWhatDiffersWithinANoisyPair) {
    const at::Tensor wish = at::zeros({4, 1, 1, 1, 2}),
                     alpha = at::tensor({0.001, 0.001, 0.5, 0.5}).view({4, 1, 1, 1, 1});
    at::Tensor answer = at::full({4, 1, 1, 1, 2}, 3.0);
    EXPECT_EQ(pair_loss(answer, wish, alpha).item<double>(), 0.0) << "an error that both make";
    answer[3].fill_(9.0);
    EXPECT_EQ(pair_loss(answer, wish, alpha).item<double>(), 0.0) << "a pair with signal";
    answer[1].fill_(5.0);
    EXPECT_EQ(pair_loss(answer, wish, alpha).item<double>(), 2.0) << "(5 - 3)^2, in one of two pairs";
}

TEST(LinearStart, CodesBeforeAnyTraining) {
    const c10::NoGradGuard no_gradients;
    VaeConfig config;
    config.block_out_channels = {12, 24, 40};
    config.latent_channels = 8;
    config.layers_per_block = 1;
    config.norm_num_groups = 2;
    std::vector<at::Tensor> drawn;
    for (int i = 0; i < 12; ++i)
        drawn.push_back(to_signal(draw(drawn_scene({}, people::Split::Train, 5, i, 1)).pixels).squeeze(1));
    const at::Tensor pictures = at::stack(drawn);
    const auto store = std::make_shared<TrainableStore>(tensors_of<CogVideoXVae>(config),
                                                        linear_vae_start(config, pictures, 1), at::kCPU);
    const CogVideoXVae vae(WeightScope(store, {}), config);
    const Posterior posterior = vae.encode(pictures.unsqueeze(2));
    EXPECT_NEAR(posterior.mean.square().mean().sqrt().item<double>(), 1.0, 0.3);
    EXPECT_GT(psnr(vae.decode(posterior.mean).squeeze(2), pictures), 17.0);
}

}  // namespace
}  // namespace mirror::engine::training
