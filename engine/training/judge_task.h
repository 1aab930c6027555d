#pragma once

// Trains the judge of drawn clips on people of its own split.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

// EngineError where a recipe's own parts for this stage are wrong; reads no other file.
void check_judge_recipe(const Recipe& recipe);
std::unique_ptr<TrainingTask> make_judge_task(const Recipe& recipe, at::Device device);

}  // namespace mirror::engine::training
