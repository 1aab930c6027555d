#pragma once

// Trains the text encoder by itself, before a transformer reads it: every token of a drawn person's caption must tell
// the action and the place. Published video models take an encoder that was trained on texts; one that begins from
// nothing and learns beside the transformer alone looks at colours and never at verbs.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

void check_text_recipe(const Recipe& recipe);
std::unique_ptr<TrainingTask> make_text_task(const Recipe& recipe, at::Device device);

}  // namespace mirror::engine::training
