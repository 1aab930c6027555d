#include "engine/tensor/cpu_rows.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "engine/kernels/cpu/row_kernels.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kValuesOfATask = 1 << 14;  // Enough work to pay for waking a thread.

// The kernels if they may read and write x.
const kernels::RowKernels* kernels_for(const at::Tensor& x) {
    const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
    const bool gradient = c10::GradMode::is_enabled() && x.requires_grad();
    return x.is_cpu() && known && !gradient && x.numel() > 0 ? kernels::row_kernels() : nullptr;
}

bool is_dense_table(const at::Tensor& table, std::int64_t rows, std::int64_t head_size) {
    return table.is_cpu() && table.scalar_type() == at::kFloat && table.is_contiguous() && table.dim() == 2 &&
           table.size(0) == rows && table.size(1) == head_size;
}

bool has_dense_heads(const at::Tensor& x) {
    return x.dim() == 4 && x.stride(3) == 1 && x.size(3) % kernels::kRowKernelLanes == 0;
}

bool is_dense_vector(const at::Tensor& x, const at::Tensor& like) {
    return x.defined() && x.is_cpu() && x.scalar_type() == like.scalar_type() && x.is_contiguous() &&
           x.numel() == like.size(3) && !(c10::GradMode::is_enabled() && x.requires_grad());
}

// [B, heads, T, head_dim], in memory [B, T, heads, head_dim] unless x is contiguous.
at::Tensor empty_heads(const at::Tensor& x) {
    if (x.is_contiguous()) return at::empty_like(x);
    return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options()).transpose(1, 2);
}

template <typename T>
kernels::HeadRows<T> head_rows(const at::Tensor& x, const at::Tensor& result) {
    kernels::HeadRows<T> rows;
    rows.input = static_cast<const T*>(x.const_data_ptr());
    rows.output = static_cast<T*>(result.data_ptr());
    for (int i = 0; i < 3; ++i) rows.input_strides[i] = x.stride(i);
    for (int i = 0; i < 3; ++i) rows.output_strides[i] = result.stride(i);
    rows.heads = x.size(1);
    rows.rows = x.size(2);
    rows.head_size = x.size(3);
    return rows;
}

template <typename Call, typename Kernel>
void on_threads(const at::Tensor& x, const Call& call, Kernel kernel) {
    at::parallel_for(0, x.size(0) * x.size(2), kValuesOfATask / (x.size(1) * x.size(3)) + 1,
                     [&](std::int64_t begin, std::int64_t end) { kernel(call, begin, end); });
}

template <typename T, typename Kernel>
void rotate_rows(const at::Tensor& x, const at::Tensor& result, const RotaryTable& table, std::int64_t first_row,
                 Kernel kernel) {
    const kernels::RotateHeads<T> call{head_rows<T>(x, result), first_row, table.cos.const_data_ptr<float>(),
                                       table.sin.const_data_ptr<float>()};
    on_threads(x, call, kernel);
}

template <typename T, typename Kernel>
void norm_rows(const at::Tensor& x, const at::Tensor& result, const LayerNorm& norm, Kernel kernel) {
    const kernels::NormHeads<T> call{head_rows<T>(x, result), static_cast<const T*>(norm.weight.const_data_ptr()),
                                     static_cast<const T*>(norm.bias.const_data_ptr()),
                                     static_cast<float>(norm.epsilon)};
    on_threads(x, call, kernel);
}

}  // namespace

bool gelu_tanh_on_cpu(at::Tensor& x) {
    const kernels::RowKernels* const kernels = kernels_for(x);
    if (kernels == nullptr || !x.is_contiguous() || x.scalar_type() != at::kBFloat16) return false;
    auto* const values = static_cast<std::uint16_t*>(x.data_ptr());
    at::parallel_for(0, x.numel(), kValuesOfATask, [&](std::int64_t begin, std::int64_t end) {
        kernels->gelu_tanh_bf16(values + begin, end - begin);
    });
    return true;
}

std::optional<at::Tensor> rotate_on_cpu(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row) {
    const kernels::RowKernels* const kernels = kernels_for(x);
    if (kernels == nullptr || !has_dense_heads(x)) return {};
    const std::int64_t turned = x.size(2) - first_row;
    if (!is_dense_table(table.cos, turned, x.size(3)) || !is_dense_table(table.sin, turned, x.size(3))) return {};
    const at::Tensor result = empty_heads(x);
    if (x.scalar_type() == at::kFloat) {
        rotate_rows<float>(x, result, table, first_row, kernels->rotate_float);
    } else {
        rotate_rows<std::uint16_t>(x, result, table, first_row, kernels->rotate_bf16);
    }
    return result;
}

std::optional<at::Tensor> norm_heads_on_cpu(const at::Tensor& x, const LayerNorm& norm) {
    const kernels::RowKernels* const kernels = kernels_for(x);
    if (kernels == nullptr || !has_dense_heads(x) || x.size(3) > kernels::kLargestNormHead) return {};
    if (norm.width != x.size(3) || !is_dense_vector(norm.weight, x) || !is_dense_vector(norm.bias, x)) return {};
    const at::Tensor result = empty_heads(x);
    if (x.scalar_type() == at::kFloat) {
        norm_rows<float>(x, result, norm, kernels->norm_float);
    } else {
        norm_rows<std::uint16_t>(x, result, norm, kernels->norm_bf16);
    }
    return result;
}

}  // namespace mirror::engine
