// The row kernels against libtorch's separate operators: the rotation to the bit, GELU to the library's own error.

#include "engine/tensor/cpu_rows.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/kernels/cpu/row_kernels.h"
#include "engine/tensor/layers.h"
#include "tests/support/deterministic.h"

namespace mirror::engine {
namespace {

using testing::deterministic;

class CpuRows : public ::testing::TestWithParam<at::ScalarType> {
protected:
    void SetUp() override {
        if (kernels::row_kernels() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
    }
};

RotaryTable table_of(std::int64_t rows, std::int64_t size) {
    const at::Tensor angles = deterministic("angles", {rows, size / 2}, 0.0, 3.0).repeat_interleave(2, 1);
    return {angles.cos(), angles.sin()};
}

at::Tensor exact_gelu(const at::Tensor& x) {
    const at::Tensor wide = x.to(at::kDouble);
    return 0.5 * wide * (1 + at::tanh(std::sqrt(2 / M_PI) * (wide + 0.044715 * wide * wide * wide)));
}

double rms(const at::Tensor& x) { return x.to(at::kDouble).square().mean().sqrt().item<double>(); }

TEST_P(CpuRows, RotateToTheBitsOfSeparateOperators) {
    for (const std::int64_t size : {16, 48, 64, 128}) {
        for (const std::int64_t first : {0, 5}) {
            const RotaryTable table = table_of(20 - first, size);
            const at::Tensor x = deterministic("x", {2, 20, 3, size}, 0.0, 1.7).to(GetParam()).transpose(1, 2);
            const std::optional<at::Tensor> done = rotate_on_cpu(x, table, first);
            ASSERT_TRUE(done.has_value());
            const at::Tensor separate = rotate(x.detach().requires_grad_(true), table, first);
            EXPECT_TRUE(done->equal(separate)) << "head size " << size << " from row " << first;
        }
    }
}

TEST_P(CpuRows, RotateTheSameOnAnyNumberOfThreads) {
    const RotaryTable table = table_of(1000, 64);
    const at::Tensor x = deterministic("x", {1, 1000, 4, 64}, 0.0, 1.7).to(GetParam()).transpose(1, 2);
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor single = rotate(x, table, 0);
    at::set_num_threads(3);
    EXPECT_TRUE(rotate(x, table, 0).equal(single));
    at::set_num_threads(before);
}

class CpuModulation : public ::testing::Test {
protected:
    void SetUp() override {
        if (kernels::row_kernels() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
    }
};

at::Tensor halves(const char* name, at::IntArrayRef shape, double scale = 1.7) {
    return deterministic(name, shape, 0.0, scale).to(at::kBFloat16);
}

// Rows of a wider tensor, factors that are parts of one, with and without the norm's own weight.
RowModulation modulation_of(std::int64_t batch, std::int64_t rows, std::int64_t width, bool affine) {
    const at::Tensor factors = halves("factors", {batch, 3 * width});
    RowModulation call;
    call.x = halves("x", {batch, rows, width});
    call.branch = halves("branch", {batch, rows + 7, width}).narrow(1, 5, rows);
    call.gate = factors.narrow(1, 0, width);
    call.scale = factors.narrow(1, width, width);
    call.shift = factors.narrow(1, 2 * width, width);
    if (affine) call.weight = halves("weight", {width}), call.bias = halves("bias", {width});
    return call;
}

// The separate operators, in the precision of the call's tensors.
ModulatedRows separate(const RowModulation& call) {
    const at::Tensor residual = call.x + call.gate.unsqueeze(1) * call.branch;
    const at::Tensor normed = at::layer_norm(residual, {call.x.size(2)}, call.weight, call.bias, call.epsilon);
    return {residual, normed * (1 + call.scale).unsqueeze(1) + call.shift.unsqueeze(1)};
}

ModulatedRows exact(RowModulation call) {
    for (at::Tensor* part : {&call.x, &call.gate, &call.branch, &call.weight, &call.bias, &call.scale, &call.shift})
        if (part->defined()) *part = part->to(at::kDouble);
    return separate(call);
}

TEST_F(CpuModulation, IsAsExactAsSeparateOperators) {
    for (const std::int64_t width : {16, 48, 256, 3072, 8192}) {
        for (const bool affine : {false, true}) {
            SCOPED_TRACE(::testing::Message() << width << " wide" << (affine ? ", affine" : ""));
            const RowModulation call = modulation_of(2, 37, width, affine);
            const std::optional<ModulatedRows> done = modulate_on_cpu(call);
            ASSERT_TRUE(done.has_value());
            const ModulatedRows library = separate(call), wanted = exact(call);
            EXPECT_LE(rms(done->residual - wanted.residual), rms(library.residual - wanted.residual) + 1e-7);
            EXPECT_LE(rms(done->modulated - wanted.modulated), 1.25 * rms(library.modulated - wanted.modulated) + 1e-7);
        }
    }
}

TEST_F(CpuModulation, LeavesPartsOut) {
    RowModulation call = modulation_of(1, 20, 64, true);
    const ModulatedRows whole = *modulate_on_cpu(call);
    RowModulation residual = call;
    residual.weight = residual.bias = residual.scale = residual.shift = at::Tensor();
    EXPECT_TRUE(modulate_on_cpu(residual)->residual.equal(whole.residual));
    EXPECT_FALSE(modulate_on_cpu(residual)->modulated.defined());
    call.x = whole.residual;
    call.branch = call.gate = at::Tensor();
    EXPECT_TRUE(modulate_on_cpu(call)->modulated.equal(whole.modulated));
}

TEST_F(CpuModulation, GivesTheSameBitsForAnyNumberOfThreadsAndAnyNeighbours) {
    RowModulation call = modulation_of(1, 1000, 64, true);
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor single = modulate_on_cpu(call)->modulated;
    at::set_num_threads(3);
    EXPECT_TRUE(modulate_on_cpu(call)->modulated.equal(single));
    at::set_num_threads(before);
    call.x = call.x.narrow(1, 321, 9);
    call.branch = call.branch.narrow(1, 321, 9);
    EXPECT_TRUE(modulate_on_cpu(call)->modulated.equal(single.narrow(1, 321, 9)));
}

TEST_F(CpuModulation, LeavesOtherCallsToTheLibrary) {
    EXPECT_FALSE(modulate_on_cpu(modulation_of(1, 4, 24, true)).has_value());
    RowModulation call = modulation_of(1, 4, 32, true);
    call.x = call.x.to(at::kFloat);
    EXPECT_FALSE(modulate_on_cpu(call).has_value());
    call = modulation_of(1, 4, 32, true);
    call.x = call.x.detach().requires_grad_(true);
    EXPECT_FALSE(modulate_on_cpu(call).has_value());
}

INSTANTIATE_TEST_SUITE_P(Types, CpuRows, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& entry) { return std::string(c10::toString(entry.param)); });

class CpuGelu : public ::testing::Test {
protected:
    void SetUp() override {
        if (kernels::row_kernels() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
    }
};

TEST_F(CpuGelu, IsAsExactAsTheLibrary) {
    for (const std::int64_t count : {1, 15, 16, 17, 1000, 100003}) {
        const at::Tensor x = deterministic("x", {count}, 0.0, 4.0).to(at::kBFloat16);
        at::Tensor own = x.clone();
        ASSERT_TRUE(gelu_tanh_on_cpu(own));
        const at::Tensor expected = exact_gelu(x);
        EXPECT_LE(rms(own.to(at::kDouble) - expected),
                  1.25 * rms(at::gelu(x, "tanh").to(at::kDouble) - expected) + 2e-8);
    }
}

TEST_F(CpuGelu, HoldsAtTheEnds) {
    at::Tensor x = at::tensor({-1e30, -50.0, -0.0, 0.0, 50.0, 1e30, std::nan("")}).to(at::kBFloat16);
    const at::Tensor given = x.clone();
    ASSERT_TRUE(gelu_tanh_on_cpu(x));
    EXPECT_EQ(x[2].item<double>(), 0.0);
    EXPECT_EQ(x[3].item<double>(), 0.0);
    EXPECT_TRUE(x.narrow(0, 4, 2).equal(given.narrow(0, 4, 2)));
    EXPECT_LT(std::abs(x[1].item<double>()), 1e-30);
    EXPECT_TRUE(std::isnan(x[6].item<double>()));
}

TEST_F(CpuGelu, UsesTheMemoryThatItIsGivenAndKeepsGradients) {
    at::Tensor x = deterministic("x", {4, 40}, 0.0, 4.0).to(at::kBFloat16);
    const void* const memory = x.const_data_ptr();
    EXPECT_EQ(gelu_tanh(std::move(x)).const_data_ptr(), memory);
    const at::Tensor leaf = deterministic("x", {4, 40}, 0.0, 4.0).to(at::kBFloat16).requires_grad_(true);
    EXPECT_TRUE(gelu_tanh(leaf * 1).requires_grad());
    at::Tensor single = deterministic("x", {4, 40}, 0.0, 4.0);
    EXPECT_FALSE(gelu_tanh_on_cpu(single));
    at::Tensor strided = deterministic("x", {4, 40}, 0.0, 4.0).to(at::kBFloat16).t();
    EXPECT_FALSE(gelu_tanh_on_cpu(strided));
}

}  // namespace
}  // namespace mirror::engine
