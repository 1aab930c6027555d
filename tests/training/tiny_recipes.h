#pragma once

// Recipes at the smallest sizes, and a way to run them.

#include <filesystem>
#include <string>

#include "engine/core/result.h"
#include "engine/session/random_checkpoint.h"
#include "engine/training/recipe.h"
#include "engine/training/trainer.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine::training {

// A tiny checkpoint with random weights in every part, made once.
inline const std::filesystem::path& tiny_model() {
    static const mirror::testing::ScratchFolder folder;
    static const std::filesystem::path model = [] {
        const std::filesystem::path path = folder.path() / "tiny";
        value_or_throw(init_checkpoint("tiny", 1, path));
        return path;
    }();
    return model;
}

struct TinyRun {
    std::string stage = "vae";
    std::filesystem::path output;
    std::filesystem::path input;
    int samples = 8;
    int batch = 2;
    double rate = 1e-3;
    std::string data = R"({"width": 32, "height": 32})";
    std::string model = R"({"preset": "tiny"})";
    std::string losses = "{}";
    std::string further;  // ", \"precision\": \"bf16\""

    Recipe recipe() const {
        std::string json = R"({"stage": ")" + stage + R"(", "output": ")" + output.string() + R"(", "samples": )" +
                           std::to_string(samples) + ", \"batch\": " + std::to_string(batch) +
                           ", \"learning_rate\": {\"peak\": " + std::to_string(rate) +
                           "}, \"report_every\": " + std::to_string(batch) +
                           ", \"save_every\": " + std::to_string(2 * batch) + ", \"data\": " + data +
                           ", \"model\": " + model + ", \"losses\": " + losses + further;
        if (!input.empty()) json += ", \"input\": \"" + input.string() + "\"";
        return Recipe::parse(json + "}", "tiny recipe");
    }

    static TinyRun vae(const std::filesystem::path& output) {
        TinyRun run;
        run.output = output;
        run.model =
            R"({"block_out_channels": [12, 16, 24], "latent_channels": 4, "layers_per_block": 1, "norm_num_groups": 2})";
        return run;
    }
};

struct Watched {
    std::vector<TrainingProgress> progress;
    std::vector<std::string> notices;
    int pictures = 0;

    TrainingObserver observer() {
        return {[this](const TrainingProgress& event) { progress.push_back(event); },
                [this](const std::string& sentence) { notices.push_back(sentence); },
                [this](const std::filesystem::path&, const Frame& picture) { pictures += picture.width > 0 ? 1 : 0; }};
    }
    double mean_loss(std::size_t begin, std::size_t end) const {
        double sum = 0;
        for (std::size_t i = begin; i < end; ++i) sum += progress.at(i).measures.front().second;
        return sum / static_cast<double>(end - begin);
    }
};

}  // namespace mirror::engine::training
