#pragma once

// Trains a CogVideoX autoencoder: reconstruction, edges, and a light pull of the latents towards a normal distribution.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

std::unique_ptr<TrainingTask> make_vae_task(const Recipe& recipe, at::Device device);

}  // namespace mirror::engine::training
