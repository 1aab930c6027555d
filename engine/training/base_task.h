#pragma once

// Trains a text encoder and a CogVideoX transformer together on captioned pictures and clips: the base model that an
// identity adapter is later trained on.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

// EngineError where a recipe's own parts for this stage are wrong; reads no other file.
void check_base_recipe(const Recipe& recipe);
std::unique_ptr<TrainingTask> make_base_task(const Recipe& recipe, at::Device device, const TaskPorts& ports);

}  // namespace mirror::engine::training
