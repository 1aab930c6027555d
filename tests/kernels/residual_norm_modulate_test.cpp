// The fused residual + LayerNorm + modulate step: the plain C++ reference against libtorch's separate operators, and,
// where a GPU and the plug-in are, the CUDA kernel against the reference.

#include "engine/kernels/cpu/residual_norm_modulate.h"

#include <gtest/gtest.h>

#include "engine/device/cuda_plugin.h"
#include "engine/device/device_calls.h"
#include "tests/support/deterministic.h"

namespace mirror::engine {
namespace {

using testing::deterministic;
using testing::deterministic_input;

// Before any other call that reaches libtorch, as in the programs.
const PluginReport kPlugin = load_cuda_plugin();

struct Shape {
    std::int64_t batch, rows, width;
};

ResidualNormModulateInput input_of(const Shape& shape, at::ScalarType type) {
    const auto cast = [&](const at::Tensor& t) { return t.to(type); };
    ResidualNormModulateInput input;
    input.hidden = cast(deterministic_input("hidden", {shape.batch, shape.rows, shape.width}));
    input.branch = cast(deterministic_input("branch", {shape.batch, shape.rows, shape.width}));
    input.gate = cast(deterministic("gate", {shape.batch, 1, shape.width}, 0.0, 1.0));
    input.weight = cast(deterministic("weight", {shape.width}, 1.0, 0.1));
    input.bias = cast(deterministic("bias", {shape.width}, 0.0, 0.1));
    input.shift = cast(deterministic("shift", {shape.batch, 1, shape.width}, 0.0, 1.0));
    input.scale = cast(deterministic("scale", {shape.batch, 1, shape.width}, 0.0, 1.0));
    return input;
}

template <typename T>
ResidualNormModulateOutput reference(const ResidualNormModulateInput& input) {
    ResidualNormModulateOutput output{at::empty_like(input.hidden), at::empty_like(input.hidden)};
    const auto data = [](const at::Tensor& t) { return static_cast<const T*>(t.const_data_ptr()); };
    kernels::ResidualNormModulate<T> call;
    call.hidden = data(input.hidden);
    call.branch = data(input.branch);
    call.gate = data(input.gate);
    call.weight = data(input.weight);
    call.bias = data(input.bias);
    call.scale = data(input.scale);
    call.shift = data(input.shift);
    call.residual = static_cast<T*>(output.residual.data_ptr());
    call.modulated = static_cast<T*>(output.modulated.data_ptr());
    call.batch = input.hidden.size(0);
    call.rows = input.hidden.size(1);
    call.width = input.hidden.size(2);
    call.epsilon = static_cast<float>(input.epsilon);
    kernels::residual_norm_modulate_cpu(call);
    return output;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class ResidualNormModulate : public ::testing::TestWithParam<Shape> {};

TEST_P(ResidualNormModulate, ReferenceEqualsTheSeparateOperatorsInFloat32) {
    const auto input = input_of(GetParam(), at::kFloat);
    const auto expected = residual_norm_modulate(input);
    const auto actual = reference<float>(input);
    EXPECT_EQ(largest_difference(actual.residual, expected.residual), 0.0);
    // The sums of the statistics run in another order; values reach about 10.
    EXPECT_LT(largest_difference(actual.modulated, expected.modulated), 1e-5);
}

TEST_P(ResidualNormModulate, ReferenceRoundsWhereTheSeparateOperatorsDoInBfloat16) {
    const auto input = input_of(GetParam(), at::kBFloat16);
    const auto expected = residual_norm_modulate(input);
    const auto actual = reference<std::uint16_t>(input);
    EXPECT_EQ(largest_difference(actual.residual, expected.residual), 0.0);
    // A statistic that falls on the other side of a rounding moves one value by one step of bfloat16; more than one in
    // a thousand would mean that a rounding is missing.
    const auto differing = (actual.modulated != expected.modulated).to(at::kDouble).mean().item<double>();
    EXPECT_LT(differing, 1e-3);
}

TEST_P(ResidualNormModulate, CudaKernelEqualsTheReference) {
    if (kPlugin.state != PluginState::Loaded) GTEST_SKIP() << kPlugin.detail;
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        const auto input = input_of(GetParam(), type);
        ResidualNormModulateInput moved;
        moved.hidden = input.hidden.to(at::kCUDA);
        moved.branch = input.branch.to(at::kCUDA);
        moved.gate = input.gate.to(at::kCUDA);
        moved.weight = input.weight.to(at::kCUDA);
        moved.bias = input.bias.to(at::kCUDA);
        moved.shift = input.shift.to(at::kCUDA);
        moved.scale = input.scale.to(at::kCUDA);
        const auto actual = residual_norm_modulate(moved);
        const auto expected = type == at::kFloat ? reference<float>(input) : reference<std::uint16_t>(input);
        EXPECT_EQ(largest_difference(actual.residual.cpu(), expected.residual), 0.0);
        const auto differing = (actual.modulated.cpu() - expected.modulated).abs().gt(1e-5).to(at::kDouble).mean();
        EXPECT_LT(differing.item<double>(), 1e-3);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ResidualNormModulate,
                         ::testing::Values(Shape{1, 3, 64}, Shape{2, 5, 256}, Shape{2, 7, 1920}, Shape{1, 9, 3072},
                                           Shape{1, 2, 1000}));

}  // namespace
}  // namespace mirror::engine
