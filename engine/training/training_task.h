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
#include "engine/core/result.h"
#include "engine/training/material_reader.h"
#include "engine/training/recipe.h"
#include "engine/training/train.h"
#include "engine/training/trainable_store.h"

namespace mirror::engine::training {

// Where a batch lies in the run, and which part of it goes through the model at once. Everything random follows from
// the batch: a part sees what it would see in the whole.
struct BatchPlace {
    std::uint64_t seed = 0;
    std::int64_t first_sample = 0;  // Of the batch.
    std::int64_t size = 1;          // Of the batch.
    std::int64_t begin = 0;         // Of the part, in the batch.
    std::int64_t count = size;      // Of the part.

    std::int64_t sample(std::int64_t i) const { return first_sample + begin + i; }  // Number i of the part.
    bool has(std::int64_t i) const { return i >= begin && i < begin + count; }      // Of the batch's number i.
    // What was drawn for the batch, rows first: those of the part.
    at::Tensor part_of(const at::Tensor& drawn) const { return drawn.narrow(0, begin, count); }
};

struct BatchLoss {
    at::Tensor loss;    // A scalar with a gradient: the mean over the part's samples.
    Measures measures;  // What it is made of.
};

// What a task may ask of the program that runs it. Any part may be missing.
struct TaskPorts {
    MaterialReader* reader = nullptr;
    std::function<void(const std::string& sentence)> notice;
    std::stop_token stop;
    std::function<bool()> time_is_over;
};

// The time of a run was over before its first batch.
class OutOfTime : public EngineError {
public:
    using EngineError::EngineError;
};

class TrainingTask {
public:
    virtual ~TrainingTask() = default;

    virtual std::shared_ptr<TrainableStore> store() = 0;
    virtual BatchLoss loss_of(const BatchPlace& place) = 0;

    // The next three are called with the moving average in the store and without gradients.
    // A fixed set of results; a frame without pixels if the stage has nothing to show.
    virtual Frame picture() = 0;
    // On held-out data.
    virtual Measures evaluate() = 0;
    // Writes the model in the published layout; `named` holds copies of the averaged weights by name.
    virtual void write_model(const std::filesystem::path& folder, const TensorMap& named) = 0;
};

// EngineError where the stage's own parts of the file are wrong. Reads nothing else.
void check_recipe(const Recipe& recipe);

// The task of a recipe. Reads the stage's own part of the file and the input folder.
std::unique_ptr<TrainingTask> make_task(const Recipe& recipe, at::Device device, const TaskPorts& ports = {});

}  // namespace mirror::engine::training
