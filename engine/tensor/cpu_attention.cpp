#include "engine/tensor/cpu_attention.h"

#include <c10/core/GradMode.h>

#include <cmath>

#include "engine/kernels/cpu/flash_attention.h"
#include "engine/tensor/parallel.h"

namespace mirror::engine {

namespace {

bool is_dense_heads(const at::Tensor& x) {
    return x.dim() == 4 && x.is_cpu() && x.scalar_type() == at::kBFloat16 && x.stride(3) == 1;
}

bool wants_gradient(const at::Tensor& x) { return x.defined() && x.requires_grad(); }

bool is_key_bias(const at::Tensor& bias, const at::Tensor& k) {
    return bias.dim() == 4 && bias.is_cpu() && bias.is_floating_point() && bias.size(1) == 1 && bias.size(2) == 1 &&
           bias.size(3) == k.size(2) && (bias.size(0) == 1 || bias.size(0) == k.size(0));
}

kernels::HeadsView<const std::uint16_t> view_of(const at::Tensor& x) {
    return {static_cast<const std::uint16_t*>(x.const_data_ptr()), x.stride(0), x.stride(1), x.stride(2)};
}

}  // namespace

bool cpu_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias) {
    if (!is_dense_heads(q) || !is_dense_heads(k) || !is_dense_heads(v)) return false;
    if (!kernels::has_flash_attention_bf16(q.size(3)) || q.size(3) != k.size(3) || !k.sizes().equals(v.sizes()))
        return false;
    if (q.size(0) != k.size(0) || q.size(1) != k.size(1) || q.numel() == 0 || k.numel() == 0) return false;
    if (bias.defined() && !is_key_bias(bias, k)) return false;
    const bool gradient = wants_gradient(q) || wants_gradient(k) || wants_gradient(v) || wants_gradient(bias);
    return !(c10::GradMode::is_enabled() && gradient);
}

at::Tensor cpu_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias) {
    const at::Tensor rows = at::empty({q.size(0), q.size(2), q.size(1), q.size(3)}, q.options());
    const at::Tensor biases = bias.defined() ? bias.to(at::kFloat).contiguous() : at::Tensor();
    kernels::FlashAttention call;
    call.query = view_of(q);
    call.key = view_of(k);
    call.value = view_of(v);
    call.output = {static_cast<std::uint16_t*>(rows.data_ptr()), rows.stride(0), rows.stride(2), rows.stride(1)};
    if (biases.defined()) {
        call.key_bias = biases.const_data_ptr<float>();
        call.key_bias_batch_stride = biases.size(0) == 1 ? 0 : biases.size(3);
    }
    call.batch = q.size(0);
    call.heads = q.size(1);
    call.query_rows = q.size(2);
    call.key_rows = k.size(2);
    call.head_size = q.size(3);
    call.scale = 1.0F / std::sqrt(static_cast<float>(q.size(3)));
    kernels::flash_attention_bf16(
        call, [](std::int64_t count, const kernels::RangeFunction& work) { parallel_for(count, 1, work); });
    return rows.transpose(1, 2);
}

}  // namespace mirror::engine
