#pragma once

// The operators of engine/tensor/gradient_calls.h: attention, rotation and GELU that keep and compute only what their
// derivatives need.

namespace mirror::engine::training {

// Once is enough; more often does no harm.
void use_own_gradients();

}  // namespace mirror::engine::training
