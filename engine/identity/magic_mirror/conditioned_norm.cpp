#include "engine/identity/magic_mirror/conditioned_norm.h"

#include "engine/identity/magic_mirror/input_check.h"

namespace mirror::engine::magic_mirror {

namespace {

// [B, n * d] -> [B, n, d]
at::Tensor as_chunks(const at::Tensor& factors, std::int64_t count) {
    return factors.unflatten(1, {count, factors.size(1) / count});
}

}  // namespace

at::Tensor twelve_chunks(const at::Tensor& norm1_factors, const at::Tensor& norm2_factors) {
    const at::Tensor first =
        as_chunks(norm1_factors, kChunksPerStream);  // Video shift scale gate, text shift scale gate.
    const at::Tensor second = as_chunks(norm2_factors, kChunksPerStream);
    return at::cat({first.narrow(1, 0, 3), second.narrow(1, 0, 3), first.narrow(1, 3, 3), second.narrow(1, 3, 3)}, 1);
}

at::Tensor norm_factors(const at::Tensor& chunks, int which) {
    const std::int64_t begin = which == 1 ? 0 : 3;
    return at::cat({chunks.narrow(1, begin, 3), chunks.narrow(1, kChunksPerStream + begin, 3)}, 1).flatten(1);
}

IdProjection::IdProjection(const WeightScope& weights, const AdapterConfig& config)
    : proj(weights, config.perceiver_id.tokens * config.perceiver_id.width, config.can.id_vector_dim) {}

at::Tensor IdProjection::operator()(const at::Tensor& id_embeds) const {
    return proj(id_embeds.mean(0, true).flatten(1));
}

ConditionPredictor::ConditionPredictor(const WeightScope& weights, const AdapterConfig& config)
    : fc1(weights / "fc1", config.can.id_vector_dim + config.dit.time_embed_dim + config.dit.width(),
          config.can.hidden_dim),
      fc2(weights / "fc2", config.can.hidden_dim, kBaseChunks * config.dit.width()) {}

at::Tensor ConditionPredictor::operator()(const at::Tensor& id_vector, const at::Tensor& temb,
                                          const at::Tensor& base) const {
    const at::Tensor first_video_shift = base.select(1, static_cast<std::int64_t>(ModulationChunk::Shift1));
    const at::Tensor condition = at::cat({id_vector.expand({temb.size(0), -1}), temb, first_video_shift}, -1);
    return as_chunks(fc2(at::silu(fc1(condition))), kBaseChunks);
}

FacePredictor::FacePredictor(const WeightScope& weights, const AdapterConfig& config)
    : has_hidden(config.switches.phi_face_hidden > 0) {
    const std::int64_t inputs = has_hidden ? config.switches.phi_face_hidden : config.dit.time_embed_dim;
    if (has_hidden) fc0 = Linear(weights / "fc0", config.dit.time_embed_dim, inputs);
    linear = Linear(weights / "linear", inputs, kChunksPerStream * config.dit.width());
}

at::Tensor FacePredictor::operator()(const at::Tensor& temb) const {
    at::Tensor activated = at::silu(temb);
    if (has_hidden) activated = at::silu(fc0(activated));
    return as_chunks(linear(activated), kChunksPerStream);
}

at::Tensor conditioned(const at::Tensor& base, const at::Tensor& delta, CanMode mode, double scale) {
    if (scale == 0) return base;
    const at::Tensor scaled = scale == 1 ? delta : delta * scale;
    if (mode == CanMode::Residual) return base + scaled;
    return scale == 1 ? scaled : base * (1 - scale) + scaled;
}

}  // namespace mirror::engine::magic_mirror
