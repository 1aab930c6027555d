#pragma once

// A stage of training as the loop sees it: weights, a loss for any batch, pictures to look at, a model to keep.

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/frame.h"
#include "engine/training/material_reader.h"
#include "engine/training/recipe.h"
#include "engine/training/train.h"
#include "engine/training/trainable_store.h"

namespace mirror::engine::training {

// Where a batch lies in the run. Everything random in it follows from this.
struct BatchPlace {
    std::uint64_t seed = 0;
    std::int64_t first_sample = 0;
    std::int64_t size = 1;
};

struct BatchLoss {
    at::Tensor loss;    // A scalar with a gradient.
    Measures measures;  // What it is made of.
};

// What a task may ask of the program that runs it. Any part may be missing.
struct TaskPorts {
    MaterialReader* reader = nullptr;
    std::function<void(const std::string& sentence)> notice;
    std::stop_token stop;
};

class TrainingTask {
public:
    virtual ~TrainingTask() = default;

    virtual std::shared_ptr<TrainableStore> store() = 0;
    virtual BatchLoss loss_of(const BatchPlace& place) = 0;

    // The next two are called with the moving average in the store and without gradients.
    // A fixed set of results; a frame without pixels if the stage has nothing to show.
    virtual Frame picture() = 0;
    // On held-out data.
    virtual Measures evaluate() = 0;
    // Writes the model in the published layout; `named` holds the averaged weights by name.
    virtual void write_model(const std::filesystem::path& folder, const TensorMap& named) = 0;
};

// The task of a recipe. Reads the stage's own part of the file and the input folder.
std::unique_ptr<TrainingTask> make_task(const Recipe& recipe, at::Device device, const TaskPorts& ports = {});

}  // namespace mirror::engine::training
