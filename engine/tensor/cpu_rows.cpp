#include "engine/tensor/cpu_rows.h"

#include <c10/core/GradMode.h>

#include "engine/kernels/cpu/row_kernels.h"
#include "engine/tensor/parallel.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kValuesOfATask = 1 << 14;  // Enough work to pay for taking a task.

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

template <typename T, typename Kernel>
void rotate_rows(const at::Tensor& x, at::Tensor& rows, const RotaryTable& table, std::int64_t first_row,
                 Kernel kernel) {
    kernels::RotateHeads<T> call;
    call.input = static_cast<const T*>(x.const_data_ptr());
    call.output = static_cast<T*>(rows.data_ptr());
    for (int i = 0; i < 3; ++i) call.input_strides[i] = x.stride(i);
    for (int i = 0; i < 3; ++i) call.output_strides[i] = rows.stride(i);
    call.heads = x.size(1);
    call.rows = x.size(2);
    call.head_size = x.size(3);
    call.first_row = first_row;
    call.cos = table.cos.const_data_ptr<float>();
    call.sin = table.sin.const_data_ptr<float>();
    parallel_for(x.size(0) * x.size(2), kValuesOfATask / (x.size(1) * x.size(3)) + 1,
                 [&](std::int64_t begin, std::int64_t end) { kernel(call, begin, end); });
}

}  // namespace

bool gelu_tanh_on_cpu(at::Tensor& x) {
    const kernels::RowKernels* const kernels = kernels_for(x);
    if (kernels == nullptr || !x.is_contiguous() || x.scalar_type() != at::kBFloat16) return false;
    auto* const values = static_cast<std::uint16_t*>(x.data_ptr());
    parallel_for(x.numel(), kValuesOfATask,
                 [&](std::int64_t begin, std::int64_t end) { kernels->gelu_tanh_bf16(values + begin, end - begin); });
    return true;
}

std::optional<at::Tensor> rotate_on_cpu(const at::Tensor& x, const RotaryTable& table, std::int64_t first_row) {
    const kernels::RowKernels* const kernels = kernels_for(x);
    if (kernels == nullptr || x.dim() != 4 || x.stride(3) != 1 || x.size(3) % kernels::kRowKernelLanes != 0) return {};
    const std::int64_t turned = x.size(2) - first_row;
    if (!is_dense_table(table.cos, turned, x.size(3)) || !is_dense_table(table.sin, turned, x.size(3))) return {};
    at::Tensor rows = at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options()).transpose(1, 2);
    if (x.scalar_type() == at::kFloat) {
        rotate_rows<float>(x, rows, table, first_row, kernels->rotate_float);
    } else {
        rotate_rows<std::uint16_t>(x, rows, table, first_row, kernels->rotate_bf16);
    }
    return rows;
}

}  // namespace mirror::engine
