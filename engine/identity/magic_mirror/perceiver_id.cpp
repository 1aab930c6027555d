#include "engine/identity/magic_mirror/perceiver_id.h"

#include "engine/identity/magic_mirror/input_check.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::magic_mirror {

namespace {

constexpr double kEpsilon = 1e-5;
constexpr std::int64_t kLargestSize = 1 << 20;

std::vector<PerceiverLayer> make_layers(const WeightScope& weights, const PerceiverIdShape& shape) {
    std::vector<PerceiverLayer> layers;
    for (std::int64_t i = 0; i < shape.depth; ++i) {
        layers.emplace_back(weights / i, PerceiverSizes{shape.width, shape.heads, shape.head_dim, shape.ff_mult});
    }
    return layers;
}

}  // namespace

PerceiverIdConfig read_perceiver_id_config(const ConfigReader& reader) {
    const auto size = [&](std::string_view key) { return reader.integer(key, 1, kLargestSize); };
    PerceiverIdConfig config;
    config.shape.id_dim = size("id_dim");
    config.shape.width = size("width");
    config.shape.tokens = size("tokens");
    config.shape.ratio = size("ratio");
    config.shape.depth = size("depth");
    config.shape.heads = size("heads");
    config.shape.head_dim = size("head_dim");
    config.shape.ff_mult = size("ff_mult");
    config.clip_hidden_size = size("clip_hidden_size");
    return config;
}

PerceiverId::PerceiverId(const WeightScope& weights, const PerceiverIdConfig& config)
    : shape(config.shape),
      token_fc1(weights / "token_proj" / "fc1", shape.id_dim, shape.ratio * shape.id_dim),
      token_fc2(weights / "token_proj" / "fc2", shape.ratio * shape.id_dim, shape.tokens * shape.width),
      token_norm(weights / "token_norm", shape.width, kEpsilon),
      proj_in(weights / "proj_in", config.clip_hidden_size, shape.width),
      layers(make_layers(weights / "layers", shape)),
      proj_out(weights / "proj_out", shape.width, shape.width),
      norm_out(weights / "norm_out", shape.width, kEpsilon) {}

at::Tensor PerceiverId::operator()(const at::Tensor& face_embedding, const at::Tensor& clip_tokens) const {
    check_shape("face_embedding", face_embedding, {kAnySize, shape.id_dim});
    check_shape("clip tokens (last_hidden_state or penultimate)", clip_tokens,
                {face_embedding.size(0), kAnySize, proj_in.weight.size(1)});
    const at::Tensor projected = token_fc2(at::gelu(token_fc1(face_embedding)));
    const at::Tensor start = token_norm(projected.reshape({-1, shape.tokens, shape.width}));
    const at::Tensor tokens = proj_in(clip_tokens);
    at::Tensor latents = start;
    for (const PerceiverLayer& layer : layers) latents = layer(tokens, latents);
    return start + norm_out(proj_out(latents));
}

}  // namespace mirror::engine::magic_mirror
