#pragma once

// Trains the networks that read a reference: the recogniser, the vision tower, the id perceiver. All three learn who is
// who (a cosine margin between people) and what a person looks like (the identity code); the tower also what a caption
// says of a picture.

#include <memory>

#include "engine/training/training_task.h"

namespace mirror::engine::training {

// EngineError where a recipe's own parts for these stages are wrong; reads no other file.
void check_identity_recipe(const Recipe& recipe);
std::unique_ptr<TrainingTask> make_recognizer_task(const Recipe& recipe, at::Device device);
std::unique_ptr<TrainingTask> make_clip_tower_task(const Recipe& recipe, at::Device device);
std::unique_ptr<TrainingTask> make_id_perceiver_task(const Recipe& recipe, at::Device device);

}  // namespace mirror::engine::training
