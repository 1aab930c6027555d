#include "engine/identity/magic_mirror/magic_mirror_hook.h"

#include <array>
#include <vector>

#include "engine/core/result.h"
#include "engine/identity/magic_mirror/input_check.h"
#include "engine/identity/magic_mirror/joined.h"

namespace mirror::engine::magic_mirror {

namespace {

void check_face_tokens(const AdapterConfig& config, const at::Tensor& id_embeds, const at::Tensor& face_tokens) {
    check_shape("face_tokens", face_tokens, {1, kAnySize, config.dit.width()});
    const std::int64_t each = config.perceiver_face.tokens;
    const std::int64_t rows = face_tokens.size(1);
    const bool mean = config.switches.multi_ref_face == MultiRefFace::Mean;
    std::int64_t wanted = mean ? each : 0;  // 0: any multiple.
    if (!mean && id_embeds.defined()) wanted = id_embeds.size(0) * each;
    if (wanted > 0 ? rows == wanted : rows % each == 0) return;
    throw EngineError(ErrorCode::ShapeMismatch,
                      joined({"face_tokens has ", std::to_string(rows), " rows but must have ",
                              wanted > 0 ? std::to_string(wanted) : joined({"a multiple of ", std::to_string(each)})}));
}

cogvideox::TransformerInput rows_of(const cogvideox::TransformerInput& input, const at::Tensor& rows) {
    cogvideox::TransformerInput part = input;
    part.hidden_states = input.hidden_states.index_select(0, rows);
    part.encoder_hidden_states = input.encoder_hidden_states.index_select(0, rows);
    part.timestep = input.timestep.index_select(0, rows.to(input.timestep.device()));
    return part;
}

}  // namespace

bool needs_face_tokens(const Switches& switches) { return switches.face_in_sa || switches.face_in_ca; }

Conditioning make_conditioning(const CrossModalAdapter& adapter, const at::Tensor& id_embeds,
                               const at::Tensor& face_tokens) {
    const AdapterConfig& config = adapter.config;
    Conditioning conditioning;
    if (config.switches.can || id_embeds.defined()) {
        check_shape("id_embeds", id_embeds, {kAnySize, config.perceiver_id.tokens, config.perceiver_id.width});
    }
    if (config.switches.can) conditioning.id_vector = adapter.id_proj(id_embeds);
    if (needs_face_tokens(config.switches)) {
        check_face_tokens(config, id_embeds, face_tokens);
        conditioning.face_tokens = face_tokens;
    }
    return conditioning;
}

MagicMirrorHook::MagicMirrorHook(const CrossModalAdapter& adapter, Conditioning conditioning, Strength strength)
    : adapter_(adapter), conditioning_(std::move(conditioning)), strength_(strength) {}

void MagicMirrorHook::before_blocks(ForwardState& state) {
    const at::Tensor& tokens = conditioning_.face_tokens;
    if (tokens.defined()) face_ = tokens.expand({state.text.size(0), tokens.size(1), tokens.size(2)});
}

bool MagicMirrorHook::takes_over(int block) const {
    return adapter_.blocks.contains(block) && ActiveTerms(adapter_.config.switches, strength_).any();
}

void MagicMirrorHook::run_block(const cogvideox::Block& block, int index, ForwardState& state) {
    const ThreeStreamBlock three(adapter_.config, strength_, adapter_.blocks.at(index), block);
    if (adapter_.config.switches.face_stream == FaceStream::Persistent) {
        three.run(state, face_, conditioning_.face_tokens, conditioning_.id_vector);
        return;
    }
    at::Tensor fresh = face_;
    three.run(state, fresh, conditioning_.face_tokens, conditioning_.id_vector);
}

AdaptedModulation adapted_modulation(const CrossModalAdapter& adapter, const cogvideox::Block& block,
                                     std::int64_t index, const at::Tensor& temb, const at::Tensor& id_vector,
                                     double can_scale) {
    const AdaptedBlock& adapted = adapter.blocks.at(index);
    const Switches& switches = adapter.config.switches;
    AdaptedModulation result;
    result.base = twelve_chunks(block.norm1.factors(temb), block.norm2.factors(temb));
    result.delta = switches.can ? adapted.mod_cond(id_vector, temb, result.base) : at::zeros_like(result.base);
    result.modulation =
        switches.can ? conditioned(result.base, result.delta, switches.can_mode, can_scale) : result.base;
    result.face = switches.phi_face
                      ? adapted.mod_face(temb)
                      : at::zeros({temb.size(0), kChunksPerStream, adapter.config.dit.width()}, temb.options());
    return result;
}

at::Tensor forward_with_adapter(const cogvideox::Transformer& transformer, const cogvideox::TransformerInput& input,
                                MagicMirrorHook& hook, const at::Tensor& adapter_mask) {
    const std::array<BlockHook*, 1> hooks{&hook};
    if (!adapter_mask.defined()) return transformer.forward(input, hooks);
    check_shape("hidden_states", input.hidden_states, {kAnySize, kAnySize, kAnySize, kAnySize, kAnySize});
    check_shape("adapter_mask", adapter_mask, {input.hidden_states.size(0)});
    const at::Tensor mask = adapter_mask.to(at::kCPU, at::kLong);
    if (!((mask == 0) | (mask == 1)).all().item<bool>()) {
        throw EngineError(ErrorCode::InvalidRequest, "adapter_mask holds values other than 0 and 1");
    }
    const at::Device device = input.hidden_states.device();
    const at::Tensor with = mask.nonzero().reshape({-1}).to(device);
    const at::Tensor without = (mask == 0).nonzero().reshape({-1}).to(device);
    if (without.numel() == 0) return transformer.forward(input, hooks);
    if (with.numel() == 0) return transformer.forward(input);
    const std::array<cogvideox::TransformerCall, 2> calls{
        {{rows_of(input, without), {}}, {rows_of(input, with), hooks}}};
    const std::vector<at::Tensor> velocities = transformer.forward_all(calls);
    const at::Tensor &base = velocities[0], &adapted = velocities[1];
    at::Tensor sample =
        at::empty({mask.size(0), base.size(1), base.size(2), base.size(3), base.size(4)}, base.options());
    sample = sample.index_copy(0, without, base);
    return sample.index_copy(0, with, adapted);
}

}  // namespace mirror::engine::magic_mirror
