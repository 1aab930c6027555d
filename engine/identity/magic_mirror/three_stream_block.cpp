#include "engine/identity/magic_mirror/three_stream_block.h"

#include <cmath>

namespace mirror::engine::magic_mirror {

namespace {

using cogvideox::add_gated;
using cogvideox::BlockModulation;
using cogvideox::Heads;
using cogvideox::modulate;
using cogvideox::Modulation;

at::Tensor scaled(const at::Tensor& x, double scale) { return scale == 1 ? x : x * scale; }

at::Tensor chunk(const at::Tensor& factors, ModulationChunk which) {
    return factors.select(1, static_cast<std::int64_t>(which));
}

}  // namespace

ActiveTerms::ActiveTerms(const Switches& switches, const Strength& strength)
    : conditioned_norm(switches.can && strength.can != 0),
      cross_attention(switches.face_in_ca && strength.face != 0),
      face_keys(switches.face_in_sa && strength.sa != 0),
      face_stream(switches.face_in_sa && (face_keys || cross_attention)) {}

void ThreeStreamBlock::run(ForwardState& state, at::Tensor& face, const at::Tensor& face_tokens,
                           const at::Tensor& id_vector) const {
    at::Tensor factors = twelve_chunks(block_.norm1.factors(state.temb), block_.norm2.factors(state.temb));
    if (terms_.conditioned_norm) {
        const at::Tensor delta = adapted_.mod_cond(id_vector, state.temb, factors);
        factors = conditioned(factors, delta, switches_.can_mode, strength_.can);
    }
    const BlockModulation first = cogvideox::split_factors(norm_factors(factors, 1));
    const BlockModulation second = cogvideox::split_factors(norm_factors(factors, 2));
    const at::Tensor face_factors = switches_.phi_face ? adapted_.mod_face(state.temb) : at::Tensor();

    Streams rows{
        modulate(state.text, block_.norm1.norm, first.text), {}, modulate(state.video, block_.norm1.norm, first.video)};
    const at::Tensor modulated = modulate_face(face, face_factors, 1);
    if (terms_.face_stream) rows.face = modulated;
    const bool raw = terms_.cross_attention && switches_.ca_input == CaInput::Raw;
    const Streams attended = attend(rows, state.rotary, cross_keys(raw ? face_tokens.expand_as(face) : modulated));
    // The same calls as the base block's, so that text and video rows round alike on every device.
    const auto text =
        cogvideox::add_gated_and_modulate(state.text, first.text.gate, attended.text, block_.norm2.norm, second.text);
    const auto video = cogvideox::add_gated_and_modulate(state.video, first.video.gate, attended.video,
                                                         block_.norm2.norm, second.video);
    if (terms_.face_stream) face = add_gated(face, chunk(face_factors, ModulationChunk::Gate1), attended.face);

    rows = {text.modulated, {}, video.modulated};
    if (terms_.face_stream) rows.face = modulate_face(face, face_factors, 2);
    const Streams fed = feed_forward(rows);
    state.text = add_gated(text.residual, second.text.gate, fed.text);
    state.video = add_gated(video.residual, second.video.gate, fed.video);
    if (terms_.face_stream) face = add_gated(face, chunk(face_factors, ModulationChunk::Gate2), fed.face);
}

// Undefined where nothing reads the face rows.
at::Tensor ThreeStreamBlock::modulate_face(const at::Tensor& face, const at::Tensor& factors, int which) const {
    if (!terms_.face_stream && !terms_.cross_attention) return {};
    const bool own = switches_.face_ln == FaceNorm::Own;
    const LayerNorm& frozen = which == 1 ? block_.norm1.norm : block_.norm2.norm;
    const LayerNorm& trained = which == 1 ? adapted_.face_ln1 : adapted_.face_ln2;
    const LayerNorm& norm = own ? trained : frozen;
    if (!factors.defined()) return norm(face);
    const auto shift = which == 1 ? ModulationChunk::Shift1 : ModulationChunk::Shift2;
    const auto scale = which == 1 ? ModulationChunk::Scale1 : ModulationChunk::Scale2;
    return modulate(face, norm, Modulation{chunk(factors, shift), chunk(factors, scale), {}});
}

ThreeStreamBlock::CrossKeys ThreeStreamBlock::cross_keys(const at::Tensor& face_rows) const {
    if (!terms_.cross_attention) return {};
    at::Tensor key = split_heads(adapted_.to_k(face_rows), block_.heads);
    if (switches_.ca_key_norm == CaKeyNorm::Base) key = block_.normalise_key(key);
    if (switches_.ca_key_norm == CaKeyNorm::Own) key = adapted_.norm_k(key);
    return {key, split_heads(adapted_.to_v(face_rows), block_.heads)};
}

ThreeStreamBlock::Streams ThreeStreamBlock::attend(const Streams& rows, const RotaryTable& rotary,
                                                   const CrossKeys& cross) const {
    const bool together = terms_.face_keys;  // Else the face rows stay out of the base rows' matrix products.
    const std::int64_t text_rows = rows.text.size(1);
    const std::int64_t face_rows = together ? rows.face.size(1) : 0;
    const std::int64_t first_video = text_rows + face_rows;
    const at::Tensor joint =
        together ? at::cat({rows.text, rows.face, rows.video}, 1) : at::cat({rows.text, rows.video}, 1);
    const Heads heads = block_.normalise_heads(block_.project_qkv(joint));
    const Heads turned = rotate_heads(heads, rotary, first_video);
    const at::Tensor bias = together ? key_bias(joint.size(1), text_rows, face_rows, turned.query) : at::Tensor();
    const at::Tensor attended = attention(turned.query, turned.key, turned.value, bias);
    const at::Tensor& query = switches_.ca_query == CaQuery::PreRope ? heads.query : turned.query;
    const bool video_only = switches_.ca_targets == CaTargets::Video;
    const at::Tensor out = project(attended, query, cross, video_only ? first_video : 0);

    Streams result{out.narrow(1, 0, text_rows), {}, out.narrow(1, first_video, rows.video.size(1))};
    if (together) result.face = out.narrow(1, text_rows, face_rows);
    if (terms_.face_stream && !together) result.face = attend_apart(rows.face, turned, cross);
    return result;
}

// The face rows look at text and video, which do not look back.
at::Tensor ThreeStreamBlock::attend_apart(const at::Tensor& face_rows, const Heads& others,
                                          const CrossKeys& cross) const {
    const Heads heads = block_.normalise_heads(block_.project_qkv(face_rows));
    const at::Tensor attended = attention(heads.query, others.key, others.value);
    const bool video_only = switches_.ca_targets == CaTargets::Video;
    return project(attended, heads.query, video_only ? CrossKeys{} : cross, 0);
}

// The output projection, with the cross-attention of the rows from first_row on added before or behind it.
at::Tensor ThreeStreamBlock::project(const at::Tensor& attended, const at::Tensor& query, const CrossKeys& cross,
                                     std::int64_t first_row) const {
    if (!cross.key.defined()) return block_.project_out(attended);
    const at::Tensor asking = query.narrow(2, first_row, query.size(2) - first_row);
    at::Tensor found = scaled(attention(asking, cross.key, cross.value), strength_.face);
    if (first_row > 0) found = at::constant_pad_nd(found, {0, 0, first_row, 0});
    if (switches_.ca_merge == CaMerge::PreOut) return block_.project_out(attended + found);
    return block_.project_out(attended) + merge_heads(found);
}

ThreeStreamBlock::Streams ThreeStreamBlock::feed_forward(const Streams& rows) const {
    const bool together = terms_.face_keys;
    const std::int64_t text_rows = rows.text.size(1);
    const std::int64_t face_rows = together ? rows.face.size(1) : 0;
    const at::Tensor out = block_.feed_forward(together ? at::cat({rows.text, rows.face, rows.video}, 1)
                                                        : at::cat({rows.text, rows.video}, 1));
    Streams result{out.narrow(1, 0, text_rows), {}, out.narrow(1, text_rows + face_rows, rows.video.size(1))};
    if (together) result.face = out.narrow(1, text_rows, face_rows);
    if (terms_.face_stream && !together) result.face = block_.feed_forward(rows.face);
    return result;
}

// log(s_sa) on the face keys; undefined where it is 0 everywhere.
at::Tensor ThreeStreamBlock::key_bias(std::int64_t rows, std::int64_t first_face, std::int64_t face_rows,
                                      const at::Tensor& like) const {
    if (strength_.sa == 1) return {};
    const at::Tensor bias = at::zeros({1, 1, 1, rows}, like.options());
    bias.narrow(3, first_face, face_rows).fill_(std::log(strength_.sa));
    return bias;
}

}  // namespace mirror::engine::magic_mirror
