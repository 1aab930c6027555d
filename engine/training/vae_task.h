#pragma once

// Trains a CogVideoX autoencoder: reconstruction, edges, and a light pull of the latents towards a normal distribution.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

// EngineError where a recipe's own parts for this stage are wrong; reads no other file.
void check_vae_recipe(const Recipe& recipe);
std::unique_ptr<TrainingTask> make_vae_task(const Recipe& recipe, at::Device device);

}  // namespace mirror::engine::training
