// The text encoder against transformers 5.23 (its default attention), with weights from their names.

#include "engine/text/t5_encoder.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "engine/core/result.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

T5Config small_config() {
    T5Config config;
    config.vocab_size = 64;
    config.d_model = 16;
    config.d_kv = 8;
    config.num_heads = 3;
    config.d_ff = 24;
    config.num_layers = 2;
    return config;
}

at::Tensor small_ids() {
    const at::Tensor text = at::tensor({3, 17, 5, 60, 33, 8, 21, 44, 9, 2, 50, 1}, at::kLong);
    return at::cat({text, at::zeros({28}, at::kLong)}).unsqueeze(0);
}

at::Tensor encode(at::ScalarType dtype) { return T5Encoder(deterministic_weights(dtype), small_config())(small_ids()); }

void expect_near(const at::Tensor& values, double absolute_sum, const std::array<double, 8>& ends, double tolerance) {
    EXPECT_EQ(values.sizes(), at::IntArrayRef({1, 40, 16}));
    const at::Tensor flat = values.flatten().to(at::kDouble);
    // Elements err in either direction: their tolerance times sqrt(640) is ample for the sum.
    EXPECT_NEAR(flat.abs().sum().item<double>(), absolute_sum, 26.0 * tolerance);
    for (std::int64_t i = 0; i < 8; ++i) {
        EXPECT_NEAR(flat[i < 4 ? i : 632 + i].item<double>(), ends[static_cast<std::size_t>(i)], tolerance) << i;
    }
}

TEST(T5Encoder, Float32_GivesTheNumbersOfTransformers) {
    // Float32 against float64 of the same code differs by 4e-6 here.
    expect_near(encode(at::kFloat), 531.006106,
                {0.800770, -0.015807, -0.218892, -0.379871, 1.079312, -0.040706, -1.060661, -0.393681}, 2e-5);
}

// The fused attention and the separate operations of the activation, as transformers runs them: off from the exact
// values by up to 0.15, from these by one unit in the last place (0.0078 around 1) where a processor sums in another
// order.
TEST(T5Encoder, BFloat16_RoundsWhereTransformersRounds) {
    const at::Tensor values = encode(at::kBFloat16);
    EXPECT_EQ(values.scalar_type(), at::kBFloat16);
    expect_near(values, 530.306992,
                {0.765625, -0.044678, -0.28125, -0.34375, 1.085938, -0.046631, -1.046875, -0.386719}, 0.016);
}

TEST(T5Encoder, Float16_KeepsTheOutputProjectionInFloat32) {
    const T5Encoder encoder(deterministic_weights(at::kHalf), small_config());
    EXPECT_EQ(encoder.blocks[0].feed_forward.output.weight.scalar_type(), at::kFloat);
    EXPECT_EQ(encoder.blocks[0].feed_forward.gate.weight.scalar_type(), at::kHalf);
    const at::Tensor x = encoder.blocks[0](at::zeros({1, 3, 16}, at::kHalf) + 0.5, encoder.position_bias(3));
    EXPECT_EQ(x.scalar_type(), at::kFloat) << "the residual is float32 from the first feed-forward on";
    const at::Tensor values = encoder(small_ids());
    EXPECT_EQ(values.scalar_type(), at::kHalf);
    // One unit in the last place is 0.001 around 1.
    expect_near(values, 530.952323,
                {0.800781, -0.016541, -0.209106, -0.394775, 1.078125, -0.040527, -1.060547, -0.39502}, 0.002);
}

TEST(T5Encoder, Float16_ClampsAResidualThatOverflows) {
    const at::Tensor large = at::tensor({65504.0f, -65504.0f, 1.0f}).to(at::kHalf);
    EXPECT_TRUE(at::equal(clamp_half_residual(large), large));
    const at::Tensor overflowed = at::cat({large, large * 2.0});
    // 64504 is between two float16 numbers, 32 apart.
    EXPECT_NEAR(clamp_half_residual(overflowed).to(at::kFloat).max().item<float>(), 64504.0f, 16.0f);
    const at::Tensor wide = at::tensor({1e6f});
    EXPECT_TRUE(at::equal(clamp_half_residual(wide), wide)) << "a float32 residual is left alone";
}

TEST(T5Encoder, PositionBuckets_HaveTheirLowerBounds) {
    const at::Tensor buckets = t5_position_buckets(200, 32, 128);
    const auto of = [&](std::int64_t distance) {  // key - query
        const std::int64_t query = distance < 0 ? -distance : 0;
        return buckets[query][query + distance].item<std::int64_t>();
    };
    const std::array<std::int64_t, 8> bounds{8, 12, 16, 23, 32, 46, 64, 91};
    for (std::int64_t d = 0; d < 8; ++d) EXPECT_EQ(of(-d), d);
    for (std::int64_t b = 0; b < 8; ++b) {
        EXPECT_EQ(of(-bounds[static_cast<std::size_t>(b)]), 8 + b);
        EXPECT_EQ(of(bounds[static_cast<std::size_t>(b)]), 24 + b) << "keys behind the query have the other half";
        EXPECT_EQ(of(1 - bounds[static_cast<std::size_t>(b)]), 7 + b) << "one less is in the bucket before";
    }
    EXPECT_EQ(of(-199), 15);
    EXPECT_EQ(of(1), 17);
}

TEST(T5Encoder, GeluNew_IsNotTheFusedOneIn16Bit) {
    const at::Tensor x = at::linspace(-3, 3, 501).to(at::kBFloat16);
    const at::Tensor steps = gelu_new(x), fused = at::gelu(x, "tanh");
    EXPECT_GT(steps.ne(fused).sum().item<std::int64_t>(), 100);
    EXPECT_TRUE(at::allclose(gelu_new(x.to(at::kFloat)), at::gelu(x.to(at::kFloat), "tanh"), 0.0, 1e-6));
}

// The scores are not divided by sqrt(d_kv): with keys and queries of ones, distances in the bias are all that softmax
// sees.
TEST(T5Encoder, Attention_DoesNotScale) {
    const T5Attention attention(deterministic_weights(), small_config());
    const at::Tensor x = deterministic_input("input.x", {1, 5, 16});
    const at::Tensor bias = at::zeros({1, 3, 5, 5});
    const auto heads = [](const at::Tensor& y) { return y.view({1, 5, 3, 8}).transpose(1, 2); };
    const at::Tensor q = heads(attention.query(x)), k = heads(attention.key(x)), v = heads(attention.value(x));
    const at::Tensor unscaled =
        attention.output(at::matmul(at::softmax(at::matmul(q, k.transpose(2, 3)), -1), v).transpose(1, 2).flatten(2));
    EXPECT_TRUE(at::allclose(attention(x, bias), unscaled, 0.0, 1e-6));
    const at::Tensor scaled = attention.output(at::scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2));
    EXPECT_FALSE(at::allclose(attention(x, bias), scaled, 0.0, 1e-3));
}

TEST(T5Norm, CastsBeforeTheWeight) {
    T5Norm norm;
    norm.weight = at::full({4}, 1.0078125, at::kBFloat16);
    const at::Tensor x = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kFloat).to(at::kBFloat16);
    const at::Tensor scaled = x * at::rsqrt(x.to(at::kFloat).pow(2).mean(-1, true) + 1e-6);
    EXPECT_TRUE(at::equal(norm(x), norm.weight * scaled.to(at::kBFloat16)));
    EXPECT_EQ(norm(x).scalar_type(), at::kBFloat16);
}

TEST(T5Norm, EpsilonIsAMillionth) {
    const T5Norm norm(deterministic_weights(), 16, T5Config{}.layer_norm_epsilon);
    // At a mean square of 1e-6 it takes away 1 - sqrt(1/2).
    const at::Tensor y = norm(at::full({1, 16}, 1e-3)) / norm.weight;
    EXPECT_NEAR(y[0][0].item<double>(), std::sqrt(0.5), 1e-5);
}

// A checkpoint that has the embedding under its second name only.
class SecondNameOnly : public DeterministicSource {
public:
    bool has(const std::string& name) const override { return name != "shared.weight"; }
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override {
        return DeterministicSource::read(name == "encoder.embed_tokens.weight" ? "shared.weight" : name, shape);
    }
};

TEST(T5Encoder, TakesTheEmbeddingUnderEitherName) {
    const T5Encoder encoder(WeightScope(std::make_shared<SecondNameOnly>(), Placement{}), small_config());
    EXPECT_TRUE(at::equal(encoder(small_ids()), encode(at::kFloat)));
}

TEST(T5Encoder, RefusesIdsBeyondTheEmbedding) {
    const T5Encoder encoder(deterministic_weights(), small_config());
    EXPECT_THROW(encoder(at::full({1, 3}, 64, at::kLong)), EngineError);
    EXPECT_THROW(encoder(at::full({1, 3}, -1, at::kLong)), EngineError);
}

TEST(T5Encoder, ParameterNamesAndCount_AreThoseOfThePublishedFiles) {
    auto recorder = std::make_shared<ShapeRecorder>();
    const T5Encoder encoder(WeightScope(recorder, Placement{}), T5Config{});
    EXPECT_EQ(recorder->entries().size(), 219u);
    EXPECT_EQ(recorder->parameter_count(), 4762310656);
    EXPECT_EQ(recorder->entries().front().name, "shared.weight");
}

}  // namespace
}  // namespace mirror::engine::testing
