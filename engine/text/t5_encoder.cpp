#include "engine/text/t5_encoder.h"

#include <array>
#include <cmath>
#include <numbers>

#include "engine/core/result.h"
#include "engine/tensor/gradient_calls.h"

namespace mirror::engine {

namespace {

// float16 keeps the output projection of the feed-forward in float32 (transformers, _keep_in_fp32_modules = ["wo"]).
WeightScope kept_in_float32(const WeightScope& weights) {
    if (weights.placement().dtype != at::kHalf) return weights;
    return weights.with({at::kFloat, weights.placement().device});
}

at::Tensor embedding_of(const WeightScope& weights, const T5Config& config) {
    const std::array<std::int64_t, 2> shape{config.vocab_size, config.d_model};
    const bool has_alias = weights.has("encoder.embed_tokens.weight");
    const bool has_shared = weights.has("shared.weight") || !has_alias;
    // A file that carries both has them tied: the copy only has to fit.
    if (has_shared && has_alias) weights.checked_only().tensor("encoder.embed_tokens.weight", shape);
    return weights.tensor(has_shared ? "shared.weight" : "encoder.embed_tokens.weight", shape);
}

}  // namespace

at::Tensor gelu_new(const at::Tensor& x) {
    const double scale = std::sqrt(2.0 / std::numbers::pi);
    return 0.5 * x * (1.0 + at::tanh(scale * (x + 0.044715 * at::pow(x, 3.0))));
}

at::Tensor t5_position_buckets(std::int64_t length, std::int64_t buckets, std::int64_t max_distance) {
    const at::Tensor positions = at::arange(length, at::kLong);
    const at::Tensor distance = positions.unsqueeze(0) - positions.unsqueeze(1);  // key - query
    const std::int64_t half = buckets / 2, exact = half / 2;
    const at::Tensor sign = distance.gt(0).to(at::kLong) * half;
    const at::Tensor size = distance.abs();
    // float32 throughout: at 16, 32 and 64 the last bit decides the bucket.
    const double octaves = std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
    const at::Tensor steps =
        at::log(size.to(at::kFloat) / static_cast<double>(exact)) / octaves * static_cast<double>(half - exact);
    const at::Tensor far = at::clamp_max(exact + steps.clamp_min(0).to(at::kLong), half - 1);
    return sign + at::where(size.lt(exact), size, far);
}

at::Tensor clamp_half_residual(const at::Tensor& x) {
    if (x.scalar_type() != at::kHalf) return x;
    constexpr double largest = 65504.0;
    const double limit = at::isinf(x).any().item<bool>() ? largest - 1000.0 : largest;
    return at::clamp(x, -limit, limit);
}

T5Norm::T5Norm(const WeightScope& weights, std::int64_t width, double epsilon_)
    : weight(weights.tensor("weight", {width})), epsilon(epsilon_) {}

at::Tensor T5Norm::operator()(const at::Tensor& x) const {
    const at::Tensor variance = x.to(at::kFloat).pow(2).mean(-1, true);
    const at::Tensor scaled = x * at::rsqrt(variance + epsilon);
    // In 16 bit the cast comes before the weight, so that the product is rounded once more.
    return weight * (weight.scalar_type() == at::kFloat ? scaled : scaled.to(weight.scalar_type()));
}

T5Attention::T5Attention(const WeightScope& weights, const T5Config& config)
    : query(weights / "q", config.d_model, config.num_heads * config.d_kv, Bias::None),
      key(weights / "k", config.d_model, config.num_heads * config.d_kv, Bias::None),
      value(weights / "v", config.d_model, config.num_heads * config.d_kv, Bias::None),
      output(weights / "o", config.num_heads * config.d_kv, config.d_model, Bias::None),
      heads(config.num_heads) {}

// Not layers.h' attention(): T5 does not divide by sqrt(d_kv), and adds a bias. The fused operation is what
// transformers 5 runs; in 16 bit it keeps the scores in float32, where separate operations would round them twice.
at::Tensor T5Attention::operator()(const at::Tensor& x, const at::Tensor& position_bias) const {
    const at::Tensor q = split_heads(query(x), heads);
    const at::Tensor k = split_heads(key(x), heads);
    const at::Tensor v = split_heads(value(x), heads);
    if (gradient_calls().attention != nullptr && wants_cpu_gradient(q))
        return output(merge_heads(gradient_calls().attention(q, k, v, position_bias, 1.0)));
    return output(merge_heads(at::scaled_dot_product_attention(q, k, v, position_bias, 0.0, false, 1.0)));
}

T5FeedForward::T5FeedForward(const WeightScope& weights, const T5Config& config)
    : gate(weights / "wi_0", config.d_model, config.d_ff, Bias::None),
      value(weights / "wi_1", config.d_model, config.d_ff, Bias::None),
      output(kept_in_float32(weights) / "wo", config.d_ff, config.d_model, Bias::None) {}

at::Tensor T5FeedForward::operator()(const at::Tensor& x) const {
    const at::Tensor gated = gelu_new(gate(x)) * value(x);
    return output(gated.to(output.weight.scalar_type()));
}

T5Block::T5Block(const WeightScope& weights, const T5Config& config)
    : attention_norm(weights / "layer" / 0 / "layer_norm", config.d_model, config.layer_norm_epsilon),
      attention(weights / "layer" / 0 / "SelfAttention", config),
      feed_forward_norm(weights / "layer" / 1 / "layer_norm", config.d_model, config.layer_norm_epsilon),
      feed_forward(weights / "layer" / 1 / "DenseReluDense", config) {}

at::Tensor T5Block::operator()(at::Tensor x, const at::Tensor& position_bias) const {
    x = clamp_half_residual(x + attention(attention_norm(x), position_bias));
    return clamp_half_residual(x + feed_forward(feed_forward_norm(x)));
}

T5Encoder::T5Encoder(const WeightScope& weights, const T5Config& config_)
    : config(config_),
      embedding(embedding_of(weights, config_)),
      blocks(weights / "encoder" / "block", config_.num_layers,
             [config_](const WeightScope& scope, std::int64_t index) { return T5Block(scope / index, config_); }) {
    const WeightScope encoder = weights / "encoder";
    relative_attention_bias = (encoder / "block" / 0 / "layer" / 0 / "SelfAttention" / "relative_attention_bias")
                                  .tensor("weight", {config.relative_attention_num_buckets, config.num_heads});
    final_norm = T5Norm(encoder / "final_layer_norm", config.d_model, config.layer_norm_epsilon);
}

at::Tensor T5Encoder::position_bias(std::int64_t length) const {
    const at::Tensor buckets =
        t5_position_buckets(length, config.relative_attention_num_buckets, config.relative_attention_max_distance);
    const at::Tensor values = at::embedding(relative_attention_bias, buckets.to(relative_attention_bias.device()));
    return values.permute({2, 0, 1}).unsqueeze(0).contiguous();
}

at::Tensor T5Encoder::embed(const at::Tensor& ids) const {
    TORCH_CHECK(ids.dim() == 2 && ids.scalar_type() == at::kLong, "T5Encoder: ids must be [batch, length] of int64");
    if (ids.numel() > 0 &&
        (ids.min().item<std::int64_t>() < 0 || ids.max().item<std::int64_t>() >= config.vocab_size)) {
        // Checked here because on a GPU an index out of range poisons the whole device context.
        throw EngineError(ErrorCode::InvalidRequest, "The tokenizer gives ids that the text encoder's vocab_size of " +
                                                         std::to_string(config.vocab_size) + " does not reach.");
    }
    return at::embedding(embedding, ids.to(embedding.device()));
}

at::Tensor T5Encoder::operator()(const at::Tensor& ids) const { return encode_all({ids}).front(); }

std::vector<at::Tensor> T5Encoder::encode_all(const std::vector<at::Tensor>& all_ids) const {
    std::vector<at::Tensor> rows(all_ids.size()), biases(all_ids.size());
    for (std::size_t i = 0; i < all_ids.size(); ++i) {
        if (!all_ids[i].defined()) continue;
        rows[i] = embed(all_ids[i]);
        biases[i] = position_bias(all_ids[i].size(1));
    }
    blocks.for_each([&](const T5Block& block, std::int64_t) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows[i].defined()) rows[i] = block(rows[i], biases[i]);
    });
    for (at::Tensor& x : rows)
        if (x.defined()) x = final_norm(x);
    return rows;
}

}  // namespace mirror::engine
