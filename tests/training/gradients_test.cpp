// Operators with derivatives of their own against what libtorch derives, and blocks that are made again for their
// gradient.

#include <gtest/gtest.h>

#include <c10/core/GradMode.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/session/checkpoint_preset.h"
#include "engine/tensor/gradient_calls.h"
#include "engine/tensor/layers.h"
#include "engine/training/first_weights.h"
#include "engine/training/gradient_operators.h"
#include "engine/training/random_stream.h"
#include "engine/training/trainable_store.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::training {
namespace {

// While it lives libtorch derives everything itself.
class Plain {
public:
    Plain() { register_gradient_calls({}); }
    ~Plain() { use_own_gradients(); }
};

at::Tensor leaf(at::IntArrayRef shape, std::int64_t seed) {
    return RandomStream(static_cast<std::uint64_t>(seed), Purpose::Initial, 0).normal(shape).requires_grad_(true);
}

// The gradients of the inputs of a function, summed with fixed weights.
std::vector<at::Tensor> gradients_of(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& function,
                                     std::vector<at::Tensor> inputs) {
    for (at::Tensor& input : inputs) input = input.detach().clone().requires_grad_(true);
    const at::Tensor result = function(inputs);
    (result * at::arange(result.numel(), at::kFloat).view(result.sizes()).sin()).sum().backward();
    std::vector<at::Tensor> gradients{result.detach()};
    for (const at::Tensor& input : inputs) gradients.push_back(input.grad());
    return gradients;
}

void expect_alike(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& function,
                  const std::vector<at::Tensor>& inputs) {
    use_own_gradients();
    const auto own = gradients_of(function, inputs);
    const Plain plain;
    const auto derived = gradients_of(function, inputs);
    for (std::size_t i = 0; i < own.size(); ++i)
        EXPECT_LT((own[i] - derived[i]).abs().max().item<float>(), 2e-5F) << "result or gradient " << i;
}

TEST(OwnGradients, AttentionIsLibtorchs) {
    expect_alike([](const auto& in) { return attention(in[0], in[1], in[2]); },
                 {leaf({2, 3, 5, 8}, 1), leaf({2, 3, 7, 8}, 2), leaf({2, 3, 7, 8}, 3)});
}

TEST(OwnGradients, ABiasOfAttentionHasOne) {
    use_own_gradients();
    const auto call = [](const auto& in) { return gradient_calls().attention(in[0], in[1], in[2], in[3], 1.0); };
    const auto plain = [](const auto& in) {
        return at::scaled_dot_product_attention(in[0], in[1], in[2], in[3], 0.0, false, 1.0);
    };
    const std::vector<at::Tensor> inputs{leaf({2, 3, 5, 8}, 1), leaf({2, 3, 5, 8}, 2), leaf({2, 3, 5, 8}, 3),
                                         leaf({1, 3, 5, 5}, 4)};
    const auto own = gradients_of(call, inputs), derived = gradients_of(plain, inputs);
    for (std::size_t i = 0; i < own.size(); ++i) EXPECT_LT((own[i] - derived[i]).abs().max().item<float>(), 2e-5F) << i;
}

TEST(OwnGradients, RotationAndGeluAreLibtorchs) {
    const at::Tensor angle = at::arange(24, at::kFloat).view({3, 8}).div(7).repeat_interleave(2, 1);
    const RotaryTable table{angle.cos(), angle.sin()};
    expect_alike([&](const auto& in) { return rotate(in[0], table, 2); }, {leaf({2, 3, 5, 16}, 1)});
    expect_alike([](const auto& in) { return gelu_tanh(in[0] * 1.0); }, {leaf({4, 33}, 2)});
}

// The most bytes that were alive at once on this thread.
class Watermark : public c10::MemoryReportingInfoBase {
public:
    void reportMemoryUsage(void*, int64_t bytes, size_t, size_t, c10::Device) override {
        live_ += bytes;
        most_ = std::max(most_, live_);
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::int64_t most() const { return most_; }

private:
    std::int64_t live_ = 0, most_ = 0;
};

struct Pass {
    at::Tensor velocity, gradients;
    std::int64_t most = 0;
};

Pass pass_of(bool recompute) {
    const auto preset = CheckpointPreset::find("tiny");
    const char* file = "transformer/config.json";
    const auto config = cogvideox::read_transformer_config(ConfigReader::parse(preset.files.at(file), file));
    const auto fresh = general_start(5);
    const auto store = std::make_shared<TrainableStore>(tensors_of<cogvideox::Transformer>(config), fresh, at::kCPU);
    const cogvideox::Transformer transformer(WeightScope(store, {}), config);
    cogvideox::TransformerInput input;
    input.hidden_states = leaf({4, 2, config.in_channels, 8, 8}, 1).detach();
    input.encoder_hidden_states = leaf({4, config.max_text_seq_length, config.text_embed_dim}, 2);
    input.timestep = at::tensor({10, 300, 600, 999}, at::kLong);
    input.recompute = recompute;
    const auto watermark = std::make_shared<Watermark>();
    Pass pass;
    {
        const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watermark);
        pass.velocity = transformer.forward(input);
        pass.velocity.square().mean().backward();
    }
    pass.gradients = store->gradients().clone();
    pass.most = watermark->most();
    return pass;
}

TEST(Checkpointing, GivesTheSameBitsInLessMemory) {
    use_own_gradients();
    const c10::AutoGradMode gradients(true);
    const Pass kept = pass_of(false), again = pass_of(true);
    EXPECT_TRUE(kept.velocity.equal(again.velocity));
    EXPECT_TRUE(kept.gradients.equal(again.gradients));
    EXPECT_GT(kept.gradients.abs().max().item<float>(), 0.0F);
    EXPECT_LT(again.most, kept.most * 3 / 4) << "most bytes: " << again.most << " against " << kept.most;
}

}  // namespace
}  // namespace mirror::engine::training
