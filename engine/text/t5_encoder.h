#pragma once

// The encoder half of T5 v1.1 (transformers, models/t5/modeling_t5.py), without attention mask: padding takes
// part, as the video models were trained.

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "engine/tensor/layers.h"
#include "engine/weights/layer_stack.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine {

class ConfigReader;

// text_encoder/config.json; the defaults are T5 v1.1 XXL.
struct T5Config {
    static T5Config read(const ConfigReader& file);

    std::int64_t vocab_size = 32128;
    std::int64_t d_model = 4096;
    std::int64_t d_kv = 64;
    std::int64_t d_ff = 10240;
    std::int64_t num_layers = 24;
    std::int64_t num_heads = 64;
    std::int64_t relative_attention_num_buckets = 32;
    std::int64_t relative_attention_max_distance = 128;
    double layer_norm_epsilon = 1e-6;
};

// Root mean square norm: no mean, no bias; the square is summed in float32 and the result is cast before the weight.
struct T5Norm {
    T5Norm() = default;
    T5Norm(const WeightScope& weights, std::int64_t width, double epsilon);

    at::Tensor operator()(const at::Tensor& x) const;

    at::Tensor weight;  // [width]
    double epsilon = 1e-6;
};

struct T5Attention {
    T5Attention(const WeightScope& weights, const T5Config& config);

    at::Tensor operator()(const at::Tensor& x, const at::Tensor& position_bias) const;

    Linear query, key, value, output;
    std::int64_t heads;
};

// wo(gelu_new(wi_0 x) * wi_1 x). In float16 `wo` stays float32, and so does what comes out.
struct T5FeedForward {
    T5FeedForward(const WeightScope& weights, const T5Config& config);

    at::Tensor operator()(const at::Tensor& x) const;

    Linear gate, value, output;
};

struct T5Block {
    T5Block(const WeightScope& weights, const T5Config& config);

    at::Tensor operator()(at::Tensor x, const at::Tensor& position_bias) const;

    T5Norm attention_norm;
    T5Attention attention;
    T5Norm feed_forward_norm;
    T5FeedForward feed_forward;
};

struct T5Encoder {
    T5Encoder(const WeightScope& weights, const T5Config& config);

    // ids [B, L], int64, each below vocab_size (EngineError InvalidRequest otherwise) -> [B, L, d_model] in the
    // weights' dtype.
    at::Tensor operator()(const at::Tensor& ids) const;
    // The same for each of several, block by block, so that a block that is not held is read once for all. Undefined
    // ids give undefined vectors.
    std::vector<at::Tensor> encode_all(const std::vector<at::Tensor>& all_ids) const;

    at::Tensor embed(const at::Tensor& ids) const;        // [B, L] -> [B, L, d_model]
    at::Tensor position_bias(std::int64_t length) const;  // [1, heads, L, L]

    T5Config config;
    at::Tensor embedding;                // [vocab_size, d_model]
    at::Tensor relative_attention_bias;  // [buckets, heads]
    LayerStack<T5Block> blocks;
    T5Norm final_norm;
};

// The bucket of each distance key - query, bidirectional: half the buckets for either sign, exact up to a quarter, then
// logarithmic up to max_distance. [L, L] int64, rows are queries.
at::Tensor t5_position_buckets(std::int64_t length, std::int64_t buckets, std::int64_t max_distance);

// float16 only: limits a residual that overflowed to just below the largest number.
at::Tensor clamp_half_residual(const at::Tensor& x);

// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) as separate operators: in 16 bit the fused one differs in the last
// bits.
at::Tensor gelu_new(const at::Tensor& x);

}  // namespace mirror::engine
