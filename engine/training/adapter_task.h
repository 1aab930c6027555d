#pragma once

// Trains a Magic Mirror adapter on a frozen base, pictures first and clips second: the face perceiver, the fusion, the
// conditioned modulation and the cross-attention, and nothing else.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

// EngineError where a recipe's own parts for this stage are wrong; reads no other file.
void check_adapter_recipe(const Recipe& recipe);
std::unique_ptr<TrainingTask> make_adapter_task(const Recipe& recipe, at::Device device, const TaskPorts& ports);

}  // namespace mirror::engine::training
