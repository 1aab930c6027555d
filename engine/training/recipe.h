#pragma once

// What a training recipe says that every stage shares. The rest of the file ("data", "model", "losses") is read by the
// stage itself.

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/training/adamw.h"
#include "engine/training/learning_rate.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::training {

enum class StageKind { Vae, Recognizer, ClipTower, IdPerceiver, Text, Base, Adapter, Judge };

struct Recipe {
    // EngineError (MissingFile, MalformedFile) names the file and the key.
    static Recipe open(const std::filesystem::path& file);
    static Recipe parse(const std::string& json, const std::string& origin);

    StageKind stage = StageKind::Vae;
    std::string stage_name;
    std::uint64_t seed = 0;
    std::filesystem::path input;   // The folder a stage before has written; empty: none.
    std::filesystem::path output;  // Its model, and the run's own files below training/.
    std::int64_t samples = 0;      // The whole run.
    std::int64_t batch = 1;
    LearningRate learning_rate;
    AdamWSettings optimizer;
    bool bf16 = false;               // Matrix products and convolutions in bfloat16; weights stay float32.
    int threads = 1;                 // On the CPU.
    std::int64_t report_every = 0;   // Samples.
    std::int64_t save_every = 0;     // Samples.
    std::int64_t picture_every = 0;  // Samples; 0: no pictures.
    bool checkpoint = false;         // Blocks of a transformer are made again for their gradient instead of kept.
    std::int64_t micro_batch = 0;    // Samples that go through the model at once; their gradients are added up.
    bool random_weights = false;     // Not said by the file: frozen parts are noise of the preset's sizes.
    ConfigReader file;
    std::string fingerprint;  // SHA-256 of the text.

private:
    explicit Recipe(ConfigReader reader) : file(std::move(reader)) {}
};

}  // namespace mirror::engine::training
