// The own attention kernel against float64: at most 1.25 times the error of libtorch's fused operator, at every length
// and head size; strided views, biases, extreme scores; and the same bits for any number of threads.

#include "engine/tensor/cpu_attention.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/kernels/cpu/flash_attention.h"
#include "engine/tensor/layers.h"
#include "tests/support/deterministic.h"

namespace mirror::engine {
namespace {

using testing::deterministic;

struct Call {
    at::Tensor q, k, v, bias;
};

struct Shape {
    std::int64_t batch, heads, queries, keys, head_size;
};

// As the models make them: rows of all heads next to each other, heads by transposing.
at::Tensor heads_of(const char* name, std::int64_t batch, std::int64_t rows, std::int64_t heads, std::int64_t size,
                    double scale) {
    return deterministic(name, {batch, rows, heads, size}, 0.0, scale).to(at::kBFloat16).transpose(1, 2);
}

Call call_of(const Shape& shape, double score_scale = 1.0) {
    return {heads_of("q", shape.batch, shape.queries, shape.heads, shape.head_size, 1.7 * score_scale),
            heads_of("k", shape.batch, shape.keys, shape.heads, shape.head_size, 1.7),
            heads_of("v", shape.batch, shape.keys, shape.heads, shape.head_size, 1.7),
            {}};
}

at::Tensor exact(const Call& call) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(call.q.size(3)));
    at::Tensor scores = at::matmul(call.q.to(at::kDouble) * scale, call.k.to(at::kDouble).transpose(2, 3));
    if (call.bias.defined()) scores = scores + call.bias.to(at::kDouble);
    return at::matmul(at::softmax(scores, 3), call.v.to(at::kDouble));
}

at::Tensor library(const Call& call) {
    return at::scaled_dot_product_attention(call.q, call.k, call.v,
                                            call.bias.defined() ? std::optional<at::Tensor>(call.bias) : std::nullopt);
}

at::Tensor own(const Call& call) { return cpu_attention(call.q, call.k, call.v, call.bias); }

double rms_error(const at::Tensor& result, const at::Tensor& expected) {
    return (result.to(at::kDouble) - expected).square().mean().sqrt().item<double>();
}

void expect_as_exact_as_the_library(const Call& call) {
    ASSERT_TRUE(cpu_attention_takes(call.q, call.k, call.v, call.bias));
    const at::Tensor expected = exact(call);
    const at::Tensor result = own(call);
    ASSERT_TRUE(result.sizes().equals(call.q.sizes()));
    EXPECT_LE(rms_error(result, expected), 1.25 * rms_error(library(call), expected) + 1e-7);
}

class CpuAttention : public ::testing::Test {
protected:
    void SetUp() override {
        if (!kernels::has_flash_attention_bf16(64)) GTEST_SKIP() << "this processor has no AVX512-BF16";
    }
};

TEST_F(CpuAttention, IsAsExactAsTheLibraryAtEveryLength) {
    for (const std::int64_t queries : {1, 15, 16, 17, 47, 48, 49, 63, 64, 65, 226}) {
        for (const std::int64_t keys : {1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 226}) {
            SCOPED_TRACE(::testing::Message() << queries << " queries, " << keys << " keys");
            expect_as_exact_as_the_library(call_of({2, 3, queries, keys, 64}));
        }
    }
}

TEST_F(CpuAttention, IsAsExactAsTheLibraryAtEveryHeadSize) {
    for (std::int64_t size = 16; size <= 256; size += 16) {
        SCOPED_TRACE(::testing::Message() << "head size " << size);
        expect_as_exact_as_the_library(call_of({1, 2, 65, 226, size}));
    }
}

TEST_F(CpuAttention, IsAsExactAsTheLibraryAtTheLengthOfALayer) {
    expect_as_exact_as_the_library(call_of({1, 2, 1576, 1576, 64}));
}

TEST_F(CpuAttention, TakesABiasOfKeys) {
    for (const std::int64_t keys : {33, 64, 226}) {
        for (const std::int64_t batches : {1, 2}) {
            Call call = call_of({2, 3, 65, keys, 64});
            call.bias = deterministic("bias", {batches, 1, 1, keys}, 0.0, 2.0).to(at::kBFloat16);
            expect_as_exact_as_the_library(call);
        }
    }
}

TEST_F(CpuAttention, GivesHiddenKeysNoWeight) {
    Call call = call_of({1, 2, 50, 300, 64});
    call.bias = at::zeros({1, 1, 1, 300}, at::kBFloat16);
    call.bias.narrow(3, 0, 200).fill_(-std::numeric_limits<float>::infinity());
    const Call seen{call.q, call.k.narrow(2, 200, 100), call.v.narrow(2, 200, 100), {}};
    expect_as_exact_as_the_library(call);
    EXPECT_LT(rms_error(own(call), exact(seen)), 1e-2);
    call.bias.fill_(-std::numeric_limits<float>::infinity());
    EXPECT_EQ(own(call).abs().max().item<double>(), 0.0);
}

TEST_F(CpuAttention, TakesViewsOfLargerTensors) {
    const at::Tensor packed = deterministic("packed", {2, 100, 3, 2, 64}, 0.0, 1.7).to(at::kBFloat16);
    const auto part = [&](std::int64_t which) { return packed.select(2, which).transpose(1, 2); };
    expect_as_exact_as_the_library({part(0).narrow(2, 11, 70), part(1).narrow(2, 3, 90), part(2).narrow(2, 3, 90), {}});
    const at::Tensor one = part(1).narrow(0, 0, 1).expand({2, 2, 100, 64});
    expect_as_exact_as_the_library({part(0), one, one, {}});
}

TEST_F(CpuAttention, StaysFiniteAtExtremeScores) {
    for (const double scale : {1e2, 1e4, 1e8, 1e20}) {
        const Call call = call_of({1, 2, 65, 226, 64}, scale);
        EXPECT_TRUE(own(call).isfinite().all().item<bool>());
        expect_as_exact_as_the_library(call);
    }
    const Call equal{at::zeros({1, 1, 7, 64}, at::kBFloat16),
                     at::zeros({1, 1, 99, 64}, at::kBFloat16),
                     at::ones({1, 1, 99, 64}, at::kBFloat16),
                     {}};
    EXPECT_TRUE(own(equal).equal(at::ones({1, 1, 7, 64}, at::kBFloat16)));
}

TEST_F(CpuAttention, GivesTheSameBitsForAnyNumberOfThreadsAndAnyNeighbours) {
    const Call call = call_of({2, 3, 226, 226, 64});
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor single = own(call);
    for (const int threads : {2, 3, 5}) {
        at::set_num_threads(threads);
        EXPECT_TRUE(own(call).equal(single));
    }
    at::set_num_threads(before);
    const at::Tensor part = own({call.q.narrow(2, 77, 31), call.k, call.v, {}});
    EXPECT_TRUE(part.equal(single.narrow(2, 77, 31)));
}

TEST_F(CpuAttention, MergesHeadsWithoutACopy) {
    const at::Tensor result = own(call_of({1, 3, 20, 20, 32}));
    EXPECT_EQ(merge_heads(result).const_data_ptr(), result.const_data_ptr());
}

TEST_F(CpuAttention, LeavesOtherCallsToTheLibrary) {
    const Call call = call_of({1, 2, 20, 20, 64});
    EXPECT_FALSE(cpu_attention_takes(call.q.to(at::kFloat), call.k.to(at::kFloat), call.v.to(at::kFloat), {}));
    const Call odd = call_of({1, 2, 20, 20, 24});
    EXPECT_FALSE(cpu_attention_takes(odd.q, odd.k, odd.v, {}));
    EXPECT_FALSE(cpu_attention_takes(call.q, call.k, call.v, at::zeros({1, 2, 20, 20}, at::kBFloat16)));
    EXPECT_FALSE(cpu_attention_takes(call.q.detach().requires_grad_(true), call.k, call.v, {}));
    EXPECT_TRUE(attention(odd.q, odd.k, odd.v).equal(library(odd)));
}

}  // namespace
}  // namespace mirror::engine
