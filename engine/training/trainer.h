#pragma once

// The one training loop: batches, optimiser, moving average, states, curves and pictures. It knows no stage.

#include <filesystem>

#include "engine/training/recipe.h"
#include "engine/training/train.h"
#include "engine/training/training_task.h"

namespace mirror::engine::training {

// As train() in train.h, of a recipe that was read already.
TrainingReport train(const Recipe& recipe, const TrainingOptions& options, const TrainingObserver& observer);

// The run's own files below an output folder.
std::filesystem::path run_folder(const Recipe& recipe);

}  // namespace mirror::engine::training
