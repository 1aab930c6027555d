#include "engine/identity/magic_mirror/clip_vision.h"

#include <array>

#include "engine/core/result.h"
#include "engine/identity/magic_mirror/input_check.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::magic_mirror {

namespace {

constexpr double kEpsilon = 1e-5;
constexpr std::int64_t kColours = 3;
constexpr std::int64_t kLargestSize = 1 << 20;

// Of the pictures that CLIP was trained on (openai/clip-vit-large-patch14, preprocessor_config.json).
constexpr std::array<double, kColours> kMean{0.48145466, 0.4578275, 0.40821073};
constexpr std::array<double, kColours> kDeviation{0.26862954, 0.26130258, 0.27577711};

std::vector<ClipLayer> make_layers(const WeightScope& weights, const ClipVisionShape& shape) {
    std::vector<ClipLayer> layers;
    for (std::int64_t i = 0; i < shape.num_hidden_layers; ++i) layers.emplace_back(weights / i, shape);
    return layers;
}

at::Tensor per_colour(const std::array<double, kColours>& values) {
    const at::Tensor tensor = at::empty({1, kColours, 1, 1}, at::kFloat);
    for (std::int64_t i = 0; i < kColours; ++i) tensor.select(1, i).fill_(values[static_cast<std::size_t>(i)]);
    return tensor;
}

}  // namespace

ClipVisionShape read_clip_vision_config(const ConfigReader& reader) {
    const auto size = [&](std::string_view key) { return reader.integer(key, 1, kLargestSize); };
    ClipVisionShape shape;
    shape.hidden_size = size("hidden_size");
    shape.num_hidden_layers = size("num_hidden_layers");
    shape.num_attention_heads = size("num_attention_heads");
    shape.intermediate_size = size("intermediate_size");
    shape.image_size = size("image_size");
    shape.patch_size = size("patch_size");
    if (shape.hidden_size % shape.num_attention_heads != 0) {
        reader.refuse("num_attention_heads", "does not divide hidden_size");
    }
    if (shape.patch_size > shape.image_size) reader.refuse("patch_size", "is larger than image_size");
    if (reader.text_or("hidden_act", "quick_gelu") != "quick_gelu") reader.refuse("hidden_act", "must be quick_gelu");
    if (reader.number_or("layer_norm_eps", kEpsilon, 0, 1) != kEpsilon)
        reader.refuse("layer_norm_eps", "must be 1e-05");
    return shape;
}

WeightStoreOptions clip_vision_store() {
    WeightStoreOptions options;
    options.optional_prefix = "vision_model.";
    options.ignored = {"visual_projection.*", "*.position_ids"};
    return options;
}

ClipLayer::ClipLayer(const WeightScope& weights, const ClipVisionShape& shape)
    : heads(shape.num_attention_heads),
      layer_norm1(weights / "layer_norm1", shape.hidden_size, kEpsilon),
      q_proj(weights / "self_attn" / "q_proj", shape.hidden_size, shape.hidden_size),
      k_proj(weights / "self_attn" / "k_proj", shape.hidden_size, shape.hidden_size),
      v_proj(weights / "self_attn" / "v_proj", shape.hidden_size, shape.hidden_size),
      out_proj(weights / "self_attn" / "out_proj", shape.hidden_size, shape.hidden_size),
      layer_norm2(weights / "layer_norm2", shape.hidden_size, kEpsilon),
      fc1(weights / "mlp" / "fc1", shape.hidden_size, shape.intermediate_size),
      fc2(weights / "mlp" / "fc2", shape.intermediate_size, shape.hidden_size) {}

at::Tensor ClipLayer::operator()(const at::Tensor& hidden) const {
    const at::Tensor normed = layer_norm1(hidden);
    const at::Tensor attended = attention(split_heads(q_proj(normed), heads), split_heads(k_proj(normed), heads),
                                          split_heads(v_proj(normed), heads));
    const at::Tensor after = hidden + out_proj(merge_heads(attended));
    return after + fc2(quick_gelu(fc1(layer_norm2(after))));
}

ClipVision::ClipVision(const WeightScope& weights, const ClipVisionShape& vision_shape)
    : shape(vision_shape),
      class_embedding((weights / "embeddings").tensor("class_embedding", {shape.hidden_size})),
      patch_embedding((weights / "embeddings" / "patch_embedding")
                          .tensor("weight", {shape.hidden_size, kColours, shape.patch_size, shape.patch_size})),
      position_embedding(
          (weights / "embeddings" / "position_embedding").tensor("weight", {shape.tokens(), shape.hidden_size})),
      pre_layrnorm(weights / "pre_layrnorm", shape.hidden_size, kEpsilon),
      layers(make_layers(weights / "encoder" / "layers", shape)),
      post_layernorm(weights / "post_layernorm", shape.hidden_size, kEpsilon) {}

ClipFeatures ClipVision::operator()(const at::Tensor& pixel_values) const {
    check_shape("pixel_values", pixel_values, {kAnySize, kColours, shape.image_size, shape.image_size});
    const at::Tensor patches =
        at::conv2d(pixel_values, patch_embedding, {}, shape.patch_size).flatten(2).transpose(1, 2);
    const at::Tensor class_token = class_embedding.expand({pixel_values.size(0), 1, shape.hidden_size});
    at::Tensor hidden = pre_layrnorm(at::cat({class_token, patches}, 1) + position_embedding);
    at::Tensor previous = hidden;
    for (const ClipLayer& layer : layers) {
        previous = hidden;
        hidden = layer(hidden);
    }
    return {hidden, previous};
}

at::Tensor ClipVision::pooled(const at::Tensor& last_hidden_state) const {
    return post_layernorm(last_hidden_state.select(1, 0));
}

const at::Tensor& tap(const ClipFeatures& features, std::int64_t layer) {
    return layer == -1 ? features.last_hidden_state : features.penultimate;
}

at::Tensor clip_pixel_values(const at::Tensor& pictures) {
    const at::Tensor scaled = pictures.permute({0, 3, 1, 2}).to(at::kFloat) / 255.0;
    const at::Tensor mean = per_colour(kMean).to(scaled.device());
    const at::Tensor deviation = per_colour(kDeviation).to(scaled.device());
    return ((scaled - mean) / deviation).contiguous();
}

}  // namespace mirror::engine::magic_mirror
