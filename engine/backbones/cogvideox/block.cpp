#include "engine/backbones/cogvideox/block.h"

#include <vector>

#include "engine/device/device_calls.h"
#include "engine/tensor/cpu_rows.h"

namespace mirror::engine::cogvideox {

namespace {

constexpr double kHeadNormEpsilon = 1e-6;

LayerNorm shared_norm(const WeightScope& weights, const TransformerConfig& config) {
    if (!config.norm_elementwise_affine) return LayerNorm::plain(config.inner_dim(), config.norm_eps);
    return {weights, config.inner_dim(), config.norm_eps};
}

Linear projection(const WeightScope& weights, const TransformerConfig& config) {
    const Bias bias = config.attention_bias ? Bias::Present : Bias::None;
    return {weights, config.inner_dim(), config.inner_dim(), bias};
}

}  // namespace

BlockModulation split_factors(const at::Tensor& factors) {
    const std::vector<at::Tensor> parts = factors.chunk(6, 1);
    return {{parts[0], parts[1], parts[2]}, {parts[3], parts[4], parts[5]}};
}

at::Tensor modulate(const at::Tensor& x, const LayerNorm& norm, const Modulation& modulation) {
    const auto rows =
        modulate_on_cpu({x, {}, {}, norm.weight, norm.bias, modulation.scale, modulation.shift, norm.epsilon});
    if (rows) return rows->modulated;
    return norm(x) * (1 + modulation.scale).unsqueeze(1) + modulation.shift.unsqueeze(1);
}

at::Tensor add_gated(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y) {
    if (const auto rows = modulate_on_cpu({x, gate, y, {}, {}, {}, {}})) return rows->residual;
    return x + gate.unsqueeze(1) * y;
}

GatedAndModulated add_gated_and_modulate(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y,
                                         const LayerNorm& norm, const Modulation& next) {
    if (const auto rows = modulate_on_cpu({x, gate, y, norm.weight, norm.bias, next.scale, next.shift, norm.epsilon}))
        return {rows->residual, rows->modulated};
    const ResidualNormModulateOutput output =
        residual_norm_modulate({x, y, gate.unsqueeze(1), norm.weight, norm.bias, next.shift.unsqueeze(1),
                                next.scale.unsqueeze(1), norm.epsilon});
    return {output.residual, output.modulated};
}

AdaptiveNorm::AdaptiveNorm(const WeightScope& weights, const TransformerConfig& config)
    : linear(weights / "linear", config.time_embed_dim, 6 * config.inner_dim()),
      norm(shared_norm(weights / "norm", config)) {}

at::Tensor AdaptiveNorm::factors(const at::Tensor& temb) const { return linear(at::silu(temb)); }

Block::Block(const WeightScope& weights, const TransformerConfig& config)
    : norm1(weights / "norm1", config),
      norm2(weights / "norm2", config),
      heads(config.num_attention_heads),
      to_q(projection(weights / "attn1" / "to_q", config)),
      to_k(projection(weights / "attn1" / "to_k", config)),
      to_v(projection(weights / "attn1" / "to_v", config)),
      to_out(weights / "attn1" / "to_out" / 0, config.inner_dim(), config.inner_dim()),
      norm_q(weights / "attn1" / "norm_q", config.attention_head_dim, kHeadNormEpsilon),
      norm_k(weights / "attn1" / "norm_k", config.attention_head_dim, kHeadNormEpsilon),
      ff_in(weights / "ff" / "net" / 0 / "proj", config.inner_dim(), 4 * config.inner_dim()),
      ff_out(weights / "ff" / "net" / 2, 4 * config.inner_dim(), config.inner_dim()) {}

// Everything on the way is let go as early as possible: what is alive at once in a block decides the memory of a run.
void Block::forward(ForwardState& state) const {
    const std::int64_t text_rows = state.text.size(1);
    const std::int64_t video_rows = state.video.size(1);
    const BlockModulation first = norm1.modulation(state.temb);
    const BlockModulation second = norm2.modulation(state.temb);
    at::Tensor rows;
    {
        const at::Tensor attended = attend(
            at::cat({modulate(state.text, norm1.norm, first.text), modulate(state.video, norm1.norm, first.video)}, 1),
            state.rotary, text_rows);
        const GatedAndModulated text = add_gated_and_modulate(
            state.text, first.text.gate, attended.narrow(1, 0, text_rows), norm2.norm, second.text);
        const GatedAndModulated video = add_gated_and_modulate(
            state.video, first.video.gate, attended.narrow(1, text_rows, video_rows), norm2.norm, second.video);
        state.text = text.residual;
        state.video = video.residual;
        rows = at::cat({text.modulated, video.modulated}, 1);
    }
    const at::Tensor fed = feed_forward(rows);
    state.text = add_gated(state.text, second.text.gate, fed.narrow(1, 0, text_rows));
    state.video = add_gated(state.video, second.video.gate, fed.narrow(1, text_rows, video_rows));
}

void Block::forward_video(ForwardState& state) const {
    const std::int64_t text_rows = state.text.size(1);
    const BlockModulation first = norm1.modulation(state.temb);
    const BlockModulation second = norm2.modulation(state.temb);
    const at::Tensor asking = modulate(state.video, norm1.norm, first.video);
    const at::Tensor rows = at::cat({modulate(state.text, norm1.norm, first.text), asking}, 1);
    const at::Tensor query = rotate(normalise_query(split_heads(to_q(asking), heads)), state.rotary, 0);
    const at::Tensor key = rotate(normalise_key(split_heads(to_k(rows), heads)), state.rotary, text_rows);
    const at::Tensor attended = project_out(attention(query, key, split_heads(to_v(rows), heads)));
    const GatedAndModulated video =
        add_gated_and_modulate(state.video, first.video.gate, attended, norm2.norm, second.video);
    state.video = add_gated(video.residual, second.video.gate, feed_forward(video.modulated));
}

at::Tensor Block::attend(const at::Tensor& rows, const RotaryTable& rotary, std::int64_t first_turned) const {
    const at::Tensor query = rotate(normalise_query(split_heads(to_q(rows), heads)), rotary, first_turned);
    const at::Tensor key = rotate(normalise_key(split_heads(to_k(rows), heads)), rotary, first_turned);
    return project_out(attention(query, key, split_heads(to_v(rows), heads)));
}

Heads Block::project_qkv(const at::Tensor& rows) const {
    return {split_heads(to_q(rows), heads), split_heads(to_k(rows), heads), split_heads(to_v(rows), heads)};
}

at::Tensor Block::normalise_query(const at::Tensor& query) const { return norm_q(query); }

at::Tensor Block::normalise_key(const at::Tensor& key) const { return norm_k(key); }

Heads Block::normalise_heads(const Heads& projected) const {
    return {normalise_query(projected.query), normalise_key(projected.key), projected.value};
}

at::Tensor Block::project_out(const at::Tensor& attended) const { return to_out(merge_heads(attended)); }

at::Tensor Block::feed_forward(const at::Tensor& rows) const { return ff_out(ff_in.gelu_tanh(rows)); }

Heads rotate_heads(const Heads& heads, const RotaryTable& rotary, std::int64_t first_row) {
    return {rotate(heads.query, rotary, first_row), rotate(heads.key, rotary, first_row), heads.value};
}

}  // namespace mirror::engine::cogvideox
