#include "engine/identity/magic_mirror/perceiver_layers.h"

#include <cmath>

namespace mirror::engine::magic_mirror {

namespace {

constexpr double kEpsilon = 1e-5;

}  // namespace

PerceiverAttention::PerceiverAttention(const WeightScope& weights, const PerceiverSizes& sizes)
    : heads(sizes.heads),
      head_dim(sizes.head_dim),
      norm_kv(weights / "norm_kv", sizes.width, kEpsilon),
      norm_q(weights / "norm_q", sizes.width, kEpsilon),
      to_q(weights / "to_q", sizes.width, heads * head_dim, Bias::None),
      to_kv(weights / "to_kv", sizes.width, 2 * heads * head_dim, Bias::None),
      to_out(weights / "to_out", heads * head_dim, sizes.width, Bias::None) {}

at::Tensor PerceiverAttention::operator()(const at::Tensor& tokens, const at::Tensor& latents) const {
    const at::Tensor queries_from = norm_q(latents);
    const at::Tensor keys_from = at::cat({norm_kv(tokens), queries_from}, 1);
    const auto keys_and_values = to_kv(keys_from).chunk(2, -1);
    const at::Tensor q = split_heads(to_q(queries_from), heads);
    const at::Tensor k = split_heads(keys_and_values[0], heads);
    const at::Tensor v = split_heads(keys_and_values[1], heads);
    // Spelt out because the published perceiver scales both factors, and rounds the weights before they meet the
    // values.
    const double scale = 1.0 / std::sqrt(std::sqrt(static_cast<double>(head_dim)));
    const at::Tensor logits = at::matmul(q * scale, (k * scale).transpose(-2, -1));
    const at::Tensor probabilities = at::softmax(logits, -1, at::kFloat).to(logits.scalar_type());
    return to_out(merge_heads(at::matmul(probabilities, v)));
}

PerceiverFeedForward::PerceiverFeedForward(const WeightScope& weights, const PerceiverSizes& sizes)
    : norm(weights / "norm", sizes.width, kEpsilon),
      fc1(weights / "fc1", sizes.width, sizes.ff_mult * sizes.width, Bias::None),
      fc2(weights / "fc2", sizes.ff_mult * sizes.width, sizes.width, Bias::None) {}

at::Tensor PerceiverFeedForward::operator()(const at::Tensor& x) const { return fc2(at::gelu(fc1(norm(x)))); }

PerceiverLayer::PerceiverLayer(const WeightScope& weights, const PerceiverSizes& sizes)
    : attn(weights / "attn", sizes), ff(weights / "ff", sizes) {}

at::Tensor PerceiverLayer::operator()(const at::Tensor& tokens, const at::Tensor& latents) const {
    const at::Tensor attended = latents + attn(tokens, latents);
    return attended + ff(attended);
}

}  // namespace mirror::engine::magic_mirror
