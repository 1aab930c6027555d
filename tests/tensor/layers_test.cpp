#include "engine/tensor/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

TEST(Linear, MultipliesByTheTransposedWeight) {
    const Linear linear(deterministic_weights(), 3, 5);
    const at::Tensor x = deterministic_input("x", {2, 4, 3});
    EXPECT_TRUE(at::allclose(linear(x), at::matmul(x, linear.weight.t()) + linear.bias, 1e-6, 1e-6));
    EXPECT_FALSE(Linear(deterministic_weights(), 3, 5, Bias::None).bias.defined());
}

TEST(LayerNorm, HasItsOwnEpsilon) {
    const at::Tensor x = at::tensor({1e-3f, -1e-3f}).view({1, 2});
    EXPECT_NEAR(LayerNorm::plain(2, 1e-6)(x)[0][0].item<double>(), 1e-3 / std::sqrt(2e-6), 1e-5);
    EXPECT_NEAR(LayerNorm::plain(2, 1e-5)(x)[0][0].item<double>(), 1e-3 / std::sqrt(1.1e-5), 1e-5);
}

TEST(Attention, ScalesByTheHeadsWidthAndAddsTheBias) {
    const at::Tensor q = deterministic_input("q", {1, 2, 3, 4});
    const at::Tensor k = deterministic_input("k", {1, 2, 5, 4});
    const at::Tensor v = deterministic_input("v", {1, 2, 5, 4});
    const at::Tensor bias = deterministic_input("bias", {1, 1, 1, 5});
    const at::Tensor scores = at::matmul(q, k.transpose(2, 3)) / 2.0;
    // The fused operator sums in another order.
    EXPECT_TRUE(at::allclose(attention(q, k, v), at::matmul(scores.softmax(-1), v), 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(attention(q, k, v, bias), at::matmul((scores + bias).softmax(-1), v), 1e-5, 1e-6));
}

TEST(Heads, MergingUndoesSplitting) {
    const at::Tensor x = deterministic_input("x", {2, 5, 12});
    ASSERT_EQ(split_heads(x, 3).sizes(), (at::IntArrayRef{2, 3, 5, 4}));
    EXPECT_TRUE(at::equal(split_heads(x, 3)[0][1][2], x[0][2].narrow(0, 4, 4)));
    EXPECT_TRUE(at::equal(merge_heads(split_heads(x, 3)), x));
}

TEST(QuickGelu, IsXTimesTheSigmoidOf1702X) {
    const at::Tensor y = quick_gelu(at::tensor({-1.0f, 0.0f, 2.0f}));
    EXPECT_NEAR(y[0].item<double>(), -1.0 / (1.0 + std::exp(1.702)), 1e-6);
    EXPECT_EQ(y[1].item<double>(), 0.0);
    EXPECT_NEAR(y[2].item<double>(), 2.0 / (1.0 + std::exp(-3.404)), 1e-6);
}

}  // namespace
}  // namespace mirror::engine::testing
