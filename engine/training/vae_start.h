#pragma once

// First weights of a CogVideoX autoencoder that already code like a linear codec: every residual branch ends in zeros,
// and what goes past them is a pyramid of principal components down, and a pyramid fitted by least squares up. Training
// then starts above 20 dB instead of from noise.

#include <ATen/ATen.h>

#include "engine/training/trainable_store.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine::training {

// pictures [B, 3, H, W] in -1..1: a few dozen are enough.
Initializer linear_vae_start(const VaeConfig& config, const at::Tensor& pictures, std::uint64_t seed);

// EngineError (InvalidRequest) if the sizes leave no room for it: says which.
void check_linear_start(const VaeConfig& config);

}  // namespace mirror::engine::training
