#include "engine/identity/magic_mirror/fusion.h"

#include <algorithm>

#include "engine/core/result.h"
#include "engine/identity/magic_mirror/input_check.h"
#include "engine/identity/magic_mirror/joined.h"

namespace mirror::engine::magic_mirror {

namespace {

constexpr double kEpsilon = 1e-5;

// Ascending positions of the ones of a [1, L] mask.
at::Tensor marked_positions(const at::Tensor& mask) {
    const at::Tensor values = mask.reshape({-1}).to(at::kCPU, at::kLong);
    if (!((values == 0) | (values == 1)).all().item<bool>()) {
        throw EngineError(ErrorCode::InvalidRequest, "identity_mask holds values other than 0 and 1");
    }
    return values.nonzero().reshape({-1});
}

}  // namespace

FusionMlp::FusionMlp(const WeightScope& weights, std::int64_t inputs, std::int64_t width)
    : norm(weights / "norm", inputs, kEpsilon),
      fc1(weights / "fc1", inputs, width),
      fc2(weights / "fc2", width, width) {}

at::Tensor FusionMlp::operator()(const at::Tensor& x) const { return fc2(at::gelu(fc1(norm(x)))); }

Fusion::Fusion(const WeightScope& weights, const AdapterConfig& config)
    : enabled(config.switches.text_fuse),
      multi_ref(config.switches.multi_ref_text),
      mlp1(weights / "mlp1", config.dit.text_embed_dim + config.perceiver_id.width, config.dit.text_embed_dim),
      mlp2(weights / "mlp2", config.dit.text_embed_dim, config.dit.text_embed_dim) {
    if (config.switches.fuse_out_norm != FuseOutNorm::None) {
        norm = LayerNorm(weights / "norm", config.dit.text_embed_dim, kEpsilon);
    }
}

at::Tensor Fusion::fuse(const at::Tensor& text, const at::Tensor& identity) const {
    const at::Tensor joint = mlp1(at::cat({text, identity}, -1)) + text;
    const at::Tensor fused = mlp2(joint) + joint;
    return norm.width > 0 ? norm(fused) : fused;
}

at::Tensor Fusion::operator()(const at::Tensor& prompt_embeds, const at::Tensor& id_embeds,
                              const at::Tensor& identity_mask, double strength) const {
    const std::int64_t text_width = mlp2.fc2.weight.size(0);
    const std::int64_t id_width = mlp1.norm.width - text_width;
    check_shape("prompt_embeds", prompt_embeds, {1, kAnySize, text_width});
    check_shape("id_embeds", id_embeds, {kAnySize, kAnySize, id_width});
    check_shape("identity_mask", identity_mask, {1, prompt_embeds.size(1)});
    const at::Tensor positions = marked_positions(identity_mask).to(prompt_embeds.device());
    if (!enabled || positions.numel() == 0 || strength <= 0) return prompt_embeds;
    const at::Tensor identity =
        multi_ref == MultiRefText::Mean ? id_embeds.mean(0) : id_embeds.reshape({-1, id_width});  // [M, c]
    if (positions.numel() != identity.size(0)) {
        throw EngineError(ErrorCode::InvalidRequest,
                          joined({"identity_mask marks ", std::to_string(positions.numel()),
                                  " positions but there are ", std::to_string(identity.size(0)), " identity tokens"}));
    }
    const at::Tensor text = prompt_embeds[0].index_select(0, positions);
    at::Tensor fused = fuse(text, identity);
    if (strength < 1) fused = text + std::min(strength, 1.0) * (fused - text);
    return prompt_embeds[0].index_copy(0, positions, fused).unsqueeze(0);
}

}  // namespace mirror::engine::magic_mirror
