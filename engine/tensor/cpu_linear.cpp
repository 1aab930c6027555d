#include "engine/tensor/cpu_linear.h"

#include <c10/core/GradMode.h>

#include <vector>

#include "engine/kernels/cpu/linear_bf16.h"
#include "engine/tensor/parallel.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kFewestRows = 32;  // Below, arranging the weights takes longer than the products.

bool is_plain(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kBFloat16; }

bool wants_gradient(const at::Tensor& x) { return x.defined() && x.requires_grad(); }

const std::uint16_t* bits_of(const at::Tensor& x) { return static_cast<const std::uint16_t*>(x.const_data_ptr()); }

// Rows of one stride, dense inside: what flattening the leading sizes gives without a copy.
bool has_row_stride(const at::Tensor& x) {
    if (x.dim() < 2 || x.stride(-1) != 1 || x.stride(-2) < x.size(-1)) return false;
    for (std::int64_t i = 0; i + 2 < x.dim(); ++i)
        if (x.size(i) != 1 && x.stride(i) != x.stride(i + 1) * x.size(i + 1)) return false;
    return true;
}

}  // namespace

bool cpu_linear_takes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    if (!is_plain(x) || !is_plain(weight) || weight.dim() != 2 || weight.stride(1) != 1 || !has_row_stride(x))
        return false;
    if (bias.defined() && (!is_plain(bias) || bias.dim() != 1 || bias.stride(0) != 1)) return false;
    if (x.size(-1) != weight.size(1) || (bias.defined() && bias.size(0) != weight.size(0))) return false;
    if (!kernels::has_linear_bf16(x.size(-1)) || x.numel() < kFewestRows * x.size(-1) || weight.numel() == 0)
        return false;
    return !(c10::GradMode::is_enabled() && (wants_gradient(x) || wants_gradient(weight) || wants_gradient(bias)));
}

at::Tensor cpu_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool with_gelu) {
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = weight.size(0);
    at::Tensor result = at::empty(shape, x.options());
    kernels::LinearBf16 call;
    call.input = bits_of(x);
    call.input_stride = x.stride(-2);
    call.weight = bits_of(weight);
    call.weight_stride = weight.stride(0);
    call.bias = bias.defined() ? bits_of(bias) : nullptr;
    call.output = static_cast<std::uint16_t*>(result.data_ptr());
    call.output_stride = weight.size(0);
    call.rows = x.numel() / x.size(-1);
    call.columns = weight.size(0);
    call.depth = x.size(-1);
    call.activation = with_gelu ? kernels::Activation::GeluTanh : kernels::Activation::None;
    kernels::linear_bf16(call, [](std::int64_t count, const auto& work) { parallel_for(count, 1, work); });
    return result;
}

}  // namespace mirror::engine
