#pragma once

// First values of the models' weights, by their names. All of them follow from a seed and the name alone.

#include <cstdint>

#include "engine/text/t5_encoder.h"
#include "engine/training/trainable_store.h"

namespace mirror::engine::training {

// A CogVideoX transformer whose blocks and head begin as nothing (Peebles and Xie, 2023: adaLN-Zero).
Initializer transformer_start(std::uint64_t seed);
// As T5 is started (transformers, modeling_t5.py, _init_weights).
Initializer text_encoder_start(const T5Config& config, std::uint64_t seed);
// A vision tower, a perceiver, a recogniser: matrices by their inputs, norms one, biases zero; names that contain one
// of `quiet` begin as zero.
Initializer general_start(std::uint64_t seed, std::vector<std::string> quiet = {});

// Chooses by the first part of a name, which is taken off: {"transformer", ...}, {"text_encoder", ...}.
Initializer joined_start(std::vector<std::pair<std::string, Initializer>> parts);

}  // namespace mirror::engine::training
