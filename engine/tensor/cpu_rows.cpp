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

bool wants_gradient(const RowModulation& call) {
    const auto wants = [](const at::Tensor& x) { return x.defined() && x.requires_grad(); };
    return c10::GradMode::is_enabled() && (wants(call.x) || wants(call.gate) || wants(call.branch) ||
                                           wants(call.weight) || wants(call.bias) || wants(call.scale));
}

bool is_rows(const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kBFloat16 && x.dim() == 3 && x.stride(2) == 1;
}

// Undefined, or [batch, width] of the rows' dtype.
bool is_factor(const at::Tensor& factor, const at::Tensor& x) {
    return !factor.defined() || (factor.is_cpu() && factor.scalar_type() == at::kBFloat16 && factor.dim() == 2 &&
                                 factor.stride(1) == 1 && factor.size(0) == x.size(0) && factor.size(1) == x.size(2));
}

bool is_norm_part(const at::Tensor& part, const at::Tensor& x) {
    return !part.defined() ||
           (part.is_cpu() && part.scalar_type() == at::kBFloat16 && part.is_contiguous() && part.numel() == x.size(2));
}

bool takes(const RowModulation& call) {
    const at::Tensor& x = call.x;
    if (!is_rows(x) || x.numel() == 0 || x.size(2) % kernels::kRowKernelLanes != 0 || x.size(2) > kernels::kWidestRow ||
        wants_gradient(call))
        return false;
    if (call.branch.defined() && !(is_rows(call.branch) && call.branch.sizes().equals(x.sizes()))) return false;
    return is_factor(call.gate, x) && is_factor(call.scale, x) && is_factor(call.shift, x) &&
           is_norm_part(call.weight, x) && is_norm_part(call.bias, x);
}

const std::uint16_t* bits_of(const at::Tensor& x, std::int64_t batch = -1) {
    if (!x.defined()) return nullptr;
    const auto* const data = static_cast<const std::uint16_t*>(x.const_data_ptr());
    return batch < 0 ? data : data + batch * x.stride(0);
}

std::uint16_t* place_of(const at::Tensor& x, std::int64_t batch) {
    return x.defined() ? static_cast<std::uint16_t*>(x.data_ptr()) + batch * x.stride(0) : nullptr;
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

std::optional<ModulatedRows> modulate_on_cpu(const RowModulation& call) {
    const kernels::RowKernels* const kernels = kernels::row_kernels();
    if (kernels == nullptr || !takes(call)) return {};
    const at::Tensor& x = call.x;
    ModulatedRows result{call.branch.defined() ? at::empty(x.sizes(), x.options()) : x,
                         call.scale.defined() ? at::empty(x.sizes(), x.options()) : at::Tensor()};
    for (std::int64_t batch = 0; batch < x.size(0); ++batch) {
        kernels::ModulateRows rows;
        rows.input = bits_of(x, batch);
        rows.branch = bits_of(call.branch, batch);
        rows.gate = bits_of(call.gate, batch);
        rows.residual = call.branch.defined() ? place_of(result.residual, batch) : nullptr;
        rows.weight = bits_of(call.weight);
        rows.bias = bits_of(call.bias);
        rows.scale = bits_of(call.scale, batch);
        rows.shift = bits_of(call.shift, batch);
        rows.output = place_of(result.modulated, batch);
        rows.input_stride = x.stride(1);
        rows.branch_stride = call.branch.defined() ? call.branch.stride(1) : 0;
        rows.residual_stride = rows.output_stride = rows.width = x.size(2);
        rows.epsilon = static_cast<float>(call.epsilon);
        parallel_for(x.size(1), kValuesOfATask / x.size(2) + 1,
                     [&](std::int64_t begin, std::int64_t end) { kernels->modulate_bf16(rows, begin, end); });
    }
    return result;
}

}  // namespace mirror::engine
