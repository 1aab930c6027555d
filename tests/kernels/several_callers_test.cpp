// Kernels called from several threads at once, each on a team: every caller gets the bytes of one that is alone. Needs
// no libtorch, so that a sanitizer sees everything.

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "engine/kernels/cpu/flash_attention.h"
#include "engine/kernels/cpu/linear_bf16.h"
#include "engine/kernels/cpu/residual_norm_modulate.h"
#include "engine/kernels/cpu/row_kernels.h"
#include "engine/kernels/cpu/thread_team.h"

namespace mirror::kernels {
namespace {

using Bits = std::vector<std::uint16_t>;
constexpr int kCallers = 4;

// Numbers between -1 and 1 that no two places share.
Bits numbers(std::int64_t count, int salt) {
    Bits bits(static_cast<std::size_t>(count));
    std::uint32_t state = 2654435761U * static_cast<std::uint32_t>(salt + 1);
    for (std::uint16_t& each : bits) {
        state = state * 1664525U + 1013904223U;
        each = bf16_from_float(static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0F);
    }
    return bits;
}

void on_a_team(std::int64_t count, const RangeFunction& work) { share_out(count, 1, work); }
void alone(std::int64_t count, const RangeFunction& work) { work(0, count); }

// `call` gives a result on whatever threads it is handed.
void expect_same_for_all(const std::function<Bits(const ParallelFor&)>& call) {
    const Bits expected = call(alone);
    std::vector<Bits> results(kCallers);
    std::vector<std::thread> callers;
    for (Bits& result : results) callers.emplace_back([&] { result = call(on_a_team); });
    for (std::thread& caller : callers) caller.join();
    for (const Bits& result : results) EXPECT_EQ(result, expected);
}

TEST(SeveralCallers, GetTheSameLinear) {
    constexpr std::int64_t rows = 70, columns = 96, depth = 64;
    if (!has_linear_bf16(depth)) GTEST_SKIP() << "this processor has no such instructions";
    const Bits input = numbers(rows * depth, 1), weight = numbers(columns * depth, 2), bias = numbers(columns, 3);
    expect_same_for_all([&](const ParallelFor& parallel_for) {
        Bits output(rows * columns);
        linear_bf16({input.data(), depth, weight.data(), depth, bias.data(), output.data(), columns, rows, columns,
                     depth, Activation::GeluTanh},
                    parallel_for);
        return output;
    });
}

TEST(SeveralCallers, GetTheSameAttention) {
    constexpr std::int64_t heads = 3, queries = 90, keys = 130, size = 32;
    if (!has_flash_attention_bf16(size)) GTEST_SKIP() << "this processor has no such instructions";
    const Bits query = numbers(heads * queries * size, 4), key = numbers(heads * keys * size, 5),
               value = numbers(heads * keys * size, 6);
    const std::vector<float> bias(keys, -0.5F);
    expect_same_for_all([&](const ParallelFor& parallel_for) {
        Bits output(heads * queries * size);
        FlashAttention call;
        call.query = {query.data(), heads * queries * size, queries * size, size};
        call.key = {key.data(), heads * keys * size, keys * size, size};
        call.value = {value.data(), heads * keys * size, keys * size, size};
        call.output = {output.data(), heads * queries * size, queries * size, size};
        call.key_bias = bias.data();
        call.key_bias_batch_stride = keys;
        call.batch = 1;
        call.heads = heads;
        call.query_rows = queries;
        call.key_rows = keys;
        call.head_size = size;
        call.scale = 0.25F;
        flash_attention_bf16(call, parallel_for);
        return output;
    });
}

TEST(SeveralCallers, GetTheSameRows) {
    constexpr std::int64_t rows = 40, width = 64;
    const RowKernels* const kernels = row_kernels();
    if (kernels == nullptr) GTEST_SKIP() << "this processor has no such instructions";
    const Bits input = numbers(rows * width, 7), branch = numbers(rows * width, 8), factors = numbers(width, 9);
    expect_same_for_all([&](const ParallelFor& parallel_for) {
        Bits output(rows * width), residual(rows * width);
        ModulateRows call;
        call.input = input.data();
        call.branch = branch.data();
        call.gate = call.weight = call.bias = call.scale = call.shift = factors.data();
        call.residual = residual.data();
        call.output = output.data();
        call.input_stride = call.branch_stride = call.residual_stride = call.output_stride = call.width = width;
        parallel_for(rows, [&](std::int64_t begin, std::int64_t end) { kernels->modulate_bf16(call, begin, end); });
        parallel_for(rows, [&](std::int64_t begin, std::int64_t end) {
            kernels->gelu_tanh_bf16(residual.data() + begin * width, (end - begin) * width);
        });
        output.insert(output.end(), residual.begin(), residual.end());
        return output;
    });
}

TEST(SeveralCallers, GetTheSameReference) {
    constexpr std::int64_t rows = 12, width = 48;
    const Bits hidden = numbers(rows * width, 10), branch = numbers(rows * width, 11), factors = numbers(width, 12);
    expect_same_for_all([&](const ParallelFor& /*it has one thread*/) {
        Bits residual(rows * width), modulated(rows * width);
        ResidualNormModulate<std::uint16_t> call;
        call.hidden = hidden.data();
        call.branch = branch.data();
        call.gate = call.weight = call.bias = call.scale = call.shift = factors.data();
        call.residual = residual.data();
        call.modulated = modulated.data();
        call.batch = 1;
        call.rows = rows;
        call.width = width;
        residual_norm_modulate_cpu(call);
        modulated.insert(modulated.end(), residual.begin(), residual.end());
        return modulated;
    });
}

}  // namespace
}  // namespace mirror::kernels
