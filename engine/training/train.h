#pragma once

// Training as the programs see it: a recipe in, a model folder out. No libtorch in this header.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/frame.h"
#include "engine/training/material_reader.h"

namespace mirror::engine::training {

using Measures = std::vector<std::pair<std::string, double>>;  // Name and value, in the order to show.

struct TrainingProgress {
    std::string stage;
    std::int64_t samples = 0;
    std::int64_t of_samples = 0;
    Measures measures;  // "loss" first: means since the last report.
    double samples_per_second = 0;
    double seconds_left = -1;  // Negative while unknown.
};

struct TrainingObserver {
    std::function<void(const TrainingProgress&)> tell;
    std::function<void(const std::string& sentence)> notice;
    // Writes a picture; the trainer knows no picture format.
    std::function<void(const std::filesystem::path& file, const Frame& picture)> write_picture;
};

struct TrainingOptions {
    bool resume = false;            // Go on from the saved state; from the beginning if there is none.
    std::optional<double> seconds;  // Stop after so much time, preparation included, with what is done so far saved.
    std::string device = "cpu";     // cpu, cuda or cuda:N
    std::stop_token stop;
    // One step with noise for the frozen weights and on drawn people, to see whether it fits and how long it takes.
    // Nothing is kept of it.
    bool random_weights = false;
    std::shared_ptr<MaterialReader> reader;  // For recipes that train on the user's own files.
};

struct TrainingReport {
    bool finished = false;  // False: the time was over.
    std::int64_t samples = 0;
    std::filesystem::path folder;
    Measures evaluation;  // Of the averaged model, on held-out data.
};

// EngineError: Cancelled after a stop, with a saved state; Internal when a loss or a gradient is not a number, with the
// last good state kept; WriteFailed; MalformedFile; whatever the stage refuses.
TrainingReport train(const std::filesystem::path& recipe, const TrainingOptions& options,
                     const TrainingObserver& observer);

}  // namespace mirror::engine::training
