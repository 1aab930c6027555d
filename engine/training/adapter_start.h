#pragma once

// First values of an adapter: as near to "does nothing" as its structure allows, so that the base model is disturbed
// slowly.

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/training/trainable_store.h"

namespace mirror::engine::training {

// The predictors of modulation and the second layers of the fusion begin at zero; the cross-attention as the switch
// ca_init says. `base` outlives the result. EngineError: tau_face_init asks for another start than a random one.
Initializer adapter_start(const magic_mirror::AdapterConfig& config, const cogvideox::Transformer& base,
                          std::uint64_t seed);

}  // namespace mirror::engine::training
