#pragma once

// Conditioned Adaptive Normalization: residuals on the twelve modulation factors of text and video, predicted from the
// identity, the time and the base model's own first video shift; and the six factors of the face stream.

#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/tensor/layers.h"

namespace mirror::engine::magic_mirror {

// Twelve chunks stand as video shift1 scale1 gate1 shift2 scale2 gate2, then the same six of the text.
enum class ModulationChunk { Shift1, Scale1, Gate1, Shift2, Scale2, Gate2 };
inline constexpr std::int64_t kChunksPerStream = 6;
inline constexpr std::int64_t kBaseChunks = 2 * kChunksPerStream;

// The [B, 6d] outputs of the base block's norm1.linear and norm2.linear -> [B, 12, d] in the order above.
at::Tensor twelve_chunks(const at::Tensor& norm1_factors, const at::Tensor& norm2_factors);
// The inverse: which = 1 or 2, [B, 12, d] -> [B, 6d] as the base block splits it.
at::Tensor norm_factors(const at::Tensor& chunks, int which);

// The projection that is made once per generation.
struct IdProjection {
    // `weights` is the scope `can.id_proj`.
    IdProjection(const WeightScope& weights, const AdapterConfig& config);
    at::Tensor operator()(const at::Tensor& id_embeds) const;  // [N, K, c], mean over N -> p [1, c1]

    Linear proj;
};

// phi_cond of one block.
struct ConditionPredictor {
    // `weights` is the scope `blocks.{l}.mod_cond`.
    ConditionPredictor(const WeightScope& weights, const AdapterConfig& config);
    // id_vector [1, c1], temb [B, c2] without SiLU, base [B, 12, d] -> [B, 12, d] before any scale.
    at::Tensor operator()(const at::Tensor& id_vector, const at::Tensor& temb, const at::Tensor& base) const;

    Linear fc1;
    Linear fc2;
};

// phi_face of one block.
struct FacePredictor {
    // `weights` is the scope `blocks.{l}.mod_face`.
    FacePredictor(const WeightScope& weights, const AdapterConfig& config);
    at::Tensor operator()(const at::Tensor& temb) const;  // [B, c2] -> [B, 6, d]

    bool has_hidden;
    Linear fc0;  // Only with phi_face_hidden > 0.
    Linear linear;
};

// base + s * delta (residual) or (1 - s) * base + s * delta (direct); s = 0 gives back `base` itself.
at::Tensor conditioned(const at::Tensor& base, const at::Tensor& delta, CanMode mode, double scale);

}  // namespace mirror::engine::magic_mirror
