// The own linear kernel against float64: at most 1.25 times the error of libtorch's operator at every number of rows,
// columns and depths; strided rows, with and without bias and GELU; and the same bits for any number of threads and any
// neighbours.

#include "engine/tensor/cpu_linear.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/kernels/cpu/linear_bf16.h"
#include "engine/tensor/layers.h"
#include "tests/support/deterministic.h"

namespace mirror::engine {
namespace {

using testing::deterministic;

struct Call {
    at::Tensor x, weight, bias;
};

at::Tensor halves(const char* name, at::IntArrayRef shape, double scale) {
    return deterministic(name, shape, 0.0, scale).to(at::kBFloat16);
}

Call call_of(std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
    const double scale = 1.7 / std::sqrt(static_cast<double>(inputs));
    return {halves("x", {rows, inputs}, 1.7), halves("weight", {outputs, inputs}, scale), halves("bias", {outputs}, 1)};
}

at::Tensor exact(const Call& call) {
    const at::Tensor bias = call.bias.defined() ? call.bias.to(at::kDouble) : at::Tensor();
    return at::linear(call.x.to(at::kDouble), call.weight.to(at::kDouble), bias);
}

double rms_error(const at::Tensor& result, const at::Tensor& expected) {
    return (result.to(at::kDouble) - expected).square().mean().sqrt().item<double>();
}

void expect_as_exact_as_the_library(const Call& call) {
    ASSERT_TRUE(cpu_linear_takes(call.x, call.weight, call.bias));
    const at::Tensor expected = exact(call);
    const at::Tensor library = at::linear(call.x, call.weight, call.bias);
    const at::Tensor result = cpu_linear(call.x, call.weight, call.bias, false);
    ASSERT_EQ(result.sizes(), library.sizes());
    EXPECT_LE(rms_error(result, expected), 1.25 * rms_error(library, expected) + 1e-7);
    const at::Tensor curved = at::gelu(expected, "tanh");
    EXPECT_LE(rms_error(cpu_linear(call.x, call.weight, call.bias, true), curved),
              1.25 * rms_error(at::gelu(library, "tanh"), curved) + 1e-7);
}

class CpuLinear : public ::testing::Test {
protected:
    void SetUp() override {
        if (!kernels::has_linear_bf16(64)) GTEST_SKIP() << "this processor has no AVX512-BF16, or has matrix tiles";
    }
};

TEST_F(CpuLinear, IsAsExactAsTheLibraryAtEveryNumberOfRowsAndColumns) {
    for (const std::int64_t rows : {32, 33, 47, 48, 226, 767, 769, 1576}) {
        for (const std::int64_t columns : {1, 15, 16, 17, 48, 63, 64, 65, 130}) {
            SCOPED_TRACE(::testing::Message() << rows << " rows, " << columns << " columns");
            expect_as_exact_as_the_library(call_of(rows, 96, columns));
        }
    }
}

TEST_F(CpuLinear, IsAsExactAsTheLibraryAtEveryDepth) {
    for (const std::int64_t depth : {32, 64, 992, 1024, 1056, 3072, 10240}) {
        SCOPED_TRACE(::testing::Message() << depth << " inputs");
        expect_as_exact_as_the_library(call_of(50, depth, 70));
    }
}

TEST_F(CpuLinear, TakesStridedRowsAndNoBias) {
    Call call = call_of(64, 96, 80);
    call.x = halves("wide", {2, 64, 160}, 1.7).narrow(2, 32, 96);
    call.weight = halves("wide weight", {80, 128}, 0.2).narrow(1, 8, 96);
    call.bias = at::Tensor();
    expect_as_exact_as_the_library(call);
    call.x = halves("batch", {3, 40, 96}, 1.7).narrow(0, 1, 2);
    expect_as_exact_as_the_library(call);
}

TEST_F(CpuLinear, GivesTheSameBitsForAnyNumberOfThreadsAndAnyNeighbours) {
    const Call call = call_of(900, 2048, 200);
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor single = cpu_linear(call.x, call.weight, call.bias, true);
    for (const int threads : {2, 3, 5}) {
        at::set_num_threads(threads);
        EXPECT_TRUE(cpu_linear(call.x, call.weight, call.bias, true).equal(single));
    }
    at::set_num_threads(before);
    const at::Tensor part = cpu_linear(call.x.narrow(0, 777, 39), call.weight, call.bias, true);
    EXPECT_TRUE(part.equal(single.narrow(0, 777, 39)));
}

TEST_F(CpuLinear, KeepsWhatIsNoNumberInItsRow) {
    Call call = call_of(40, 64, 64);
    call.x[7][3] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor result = cpu_linear(call.x, call.weight, call.bias, true);
    EXPECT_TRUE(result[7].isnan().all().item<bool>());
    EXPECT_EQ(result.isnan().sum().item<std::int64_t>(), 64);
    const Call large{at::full({32, 32}, 1e30, at::kBFloat16), at::ones({1, 32}, at::kBFloat16), {}};
    EXPECT_GT(cpu_linear(large.x, large.weight, {}, true).min().item<double>(), 3e31);
    EXPECT_EQ(cpu_linear(-large.x, large.weight, {}, true).abs().max().item<double>(), 0.0);
}

TEST_F(CpuLinear, LeavesOtherCallsToTheLibrary) {
    const Call call = call_of(40, 64, 64);
    EXPECT_FALSE(cpu_linear_takes(call.x.to(at::kFloat), call.weight.to(at::kFloat), {}));
    EXPECT_FALSE(cpu_linear_takes(call.x.narrow(0, 0, 31), call.weight, {}));
    EXPECT_FALSE(cpu_linear_takes(call.x.narrow(1, 0, 48), call.weight.narrow(1, 0, 48), {}));
    EXPECT_FALSE(cpu_linear_takes(call.x, call.weight.t(), {}));
    EXPECT_FALSE(cpu_linear_takes(call.x, call.weight.detach().requires_grad_(true), {}));
    EXPECT_FALSE(cpu_linear_takes(halves("turned", {64, 40}, 1).t(), call.weight, {}));
}

}  // namespace
}  // namespace mirror::engine
