#pragma once

// Trains the judge of drawn clips on people of its own split.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

std::unique_ptr<TrainingTask> make_judge_task(const Recipe& recipe, at::Device device);

}  // namespace mirror::engine::training
