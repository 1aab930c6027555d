#include "engine/tensor/layers.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <optional>

#include "engine/tensor/cpu_attention.h"
#include "engine/tensor/cpu_linear.h"
#include "engine/tensor/cpu_rows.h"
#include "engine/tensor/gradient_calls.h"

namespace mirror::engine {

Linear::Linear(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, Bias with_bias)
    : weight(weights.tensor("weight", {outputs, inputs})) {
    if (with_bias == Bias::Present) bias = weights.tensor("bias", {outputs});
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
    if (cpu_linear_takes(x, weight, bias)) return cpu_linear(x, weight, bias, false);
    return at::linear(x, weight, bias);
}

at::Tensor Linear::gelu_tanh(const at::Tensor& x) const {
    if (cpu_linear_takes(x, weight, bias)) return cpu_linear(x, weight, bias, true);
    return engine::gelu_tanh(at::linear(x, weight, bias));
}

LayerNorm::LayerNorm(const WeightScope& weights, std::int64_t width_, double epsilon_)
    : weight(weights.tensor("weight", {width_})),
      bias(weights.tensor("bias", {width_})),
      width(width_),
      epsilon(epsilon_) {}

LayerNorm LayerNorm::plain(std::int64_t width, double epsilon) {
    LayerNorm norm;
    norm.width = width;
    norm.epsilon = epsilon;
    return norm;
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
    return at::layer_norm(x, {width}, weight, bias, epsilon);
}

at::Tensor quick_gelu(const at::Tensor& x) { return x * at::sigmoid(1.702 * x); }

at::Tensor gelu_tanh(at::Tensor&& x) {
    if (gelu_tanh_on_cpu(x)) return x;
    if (gradient_calls().gelu_tanh != nullptr && wants_cpu_gradient(x)) return gradient_calls().gelu_tanh(x);
    if (c10::GradMode::is_enabled() && x.requires_grad()) return at::gelu(x, "tanh");
    return at::gelu_(x, "tanh");
}

at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
    return x.unflatten(2, {heads, x.size(2) / heads}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias) {
    if (cpu_attention_takes(q, k, v, bias)) return cpu_attention(q, k, v, bias);
    if (gradient_calls().attention != nullptr && wants_cpu_gradient(q))
        return gradient_calls().attention(q, k, v, bias, 1.0 / std::sqrt(static_cast<double>(q.size(3))));
    return at::scaled_dot_product_attention(q, k, v, bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt);
}

}  // namespace mirror::engine
