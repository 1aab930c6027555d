#pragma once

// How long each stage of a model takes on this machine, and what its processor gives for the two operations that the
// time goes into.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/request.h"

namespace mirror::engine {

struct BenchRequest {
    std::string preset = "demo";         // Of `models init`; random weights. Not used with a model folder.
    std::filesystem::path model;         // Empty: the preset.
    bool random_weights = false;         // The folder's sizes, but not its weights.
    std::optional<Precision> precision;  // Without: as the preset is stored, bf16 for a folder.
    std::string device = "cpu";
    int threads = 0;  // 0: as many as libtorch takes by itself.
    int repeats = 3;  // Timed runs of a stage, after one that is not.
    int frames = 9;   // Of the clip.
    int width = 192;  // Pixels.
    int height = 128;
    int layers = 0;                   // At most so many of transformer and text encoder; 0: all.
    std::vector<std::string> stages;  // Empty: all.
};

// Names of the stages, in the order of running: linear, attention, t5, dit-step, magic-mirror-step, vae-decode.
const std::vector<std::string>& bench_stages();

struct StageTiming {
    std::string stage;
    std::string what;             // "1072 rows, 256 to 1024 wide"
    std::vector<double> seconds;  // Of each timed run, as they came.
    double gflop = 0;             // Arithmetic of one run where it is known exactly; 0: not said.

    double median() const;
};

struct BenchMachine {
    std::string processor;
    std::string device;
    std::string precision;  // "bf16"
    std::string libtorch;
    int threads = 0;
    std::uint64_t peak_mib = 0;  // Of the program, on the host.
};

// Runs the stages one after the other; each is reported as it ends. Every model is gone before the next one is made.
// EngineError as for a generation: OutOfMemory, before the first of them, where one does not fit.
BenchMachine run_bench(const BenchRequest& request, const std::function<void(const StageTiming&)>& report,
                       std::stop_token stop = {});

}  // namespace mirror::engine
