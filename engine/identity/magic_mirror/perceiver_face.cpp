#include "engine/identity/magic_mirror/perceiver_face.h"

#include "engine/identity/magic_mirror/input_check.h"

namespace mirror::engine::magic_mirror {

namespace {

constexpr double kEpsilon = 1e-5;

std::vector<PerceiverLayer> make_layers(const WeightScope& weights, const PerceiverFaceShape& shape) {
    std::vector<PerceiverLayer> layers;
    for (std::int64_t i = 0; i < shape.depth; ++i) {
        layers.emplace_back(weights / i, PerceiverSizes{shape.width, shape.heads, shape.head_dim, shape.ff_mult});
    }
    return layers;
}

}  // namespace

PerceiverFace::PerceiverFace(const WeightScope& weights, const AdapterConfig& config)
    : shape(config.perceiver_face),
      multi_ref(config.switches.multi_ref_face),
      queries(weights.tensor("queries", {shape.tokens, shape.width})),
      proj_in(weights / "proj_in", config.clip_vision.hidden_size, shape.width),
      layers(make_layers(weights / "layers", shape)),
      proj_out(weights / "proj_out", shape.width, config.dit.width()),
      norm_out(weights / "norm_out", config.dit.width(), kEpsilon) {
    if (config.switches.face_rope == FaceRope::LearnedPosition) {
        position = weights.tensor("pos", {shape.tokens, config.dit.width()});
    }
}

at::Tensor PerceiverFace::each(const at::Tensor& clip_tokens) const {
    check_shape("clip tokens (penultimate or last_hidden_state)", clip_tokens,
                {kAnySize, kAnySize, proj_in.weight.size(1)});
    const std::int64_t references = clip_tokens.size(0);
    const at::Tensor tokens = proj_in(clip_tokens);
    at::Tensor latents = queries.unsqueeze(0).expand({references, shape.tokens, shape.width});
    for (const PerceiverLayer& layer : layers) latents = layer(tokens, latents);
    const at::Tensor faces = norm_out(proj_out(latents));  // [N, T, d]
    return position.defined() ? faces + position : faces;
}

at::Tensor PerceiverFace::operator()(const at::Tensor& clip_tokens) const {
    const at::Tensor faces = each(clip_tokens);
    if (multi_ref == MultiRefFace::Mean) return faces.mean(0, true);
    return faces.reshape({1, faces.size(0) * shape.tokens, faces.size(2)});
}

}  // namespace mirror::engine::magic_mirror
