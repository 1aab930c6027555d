#pragma once

// What a run needs to go on where it was cut: weights, moments, moving average and position. Randomness follows from
// the position. Written in parts, none larger than 15 MiB, and never in place: the state before stays valid until the
// new one is complete on the disk.

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/training/adamw.h"

namespace mirror::engine::training {

struct RunPosition {
    std::string stage;
    std::string recipe_sha256;
    std::int64_t samples = 0;
    std::int64_t steps = 0;
};

bool has_state(const std::filesystem::path& folder);

// EngineError: WriteFailed.
void save_state(const std::filesystem::path& folder, const RunPosition& position, const AdamW& optimizer);

// Where the saved state is; before the first sample if there is none. EngineError: MissingFile, MalformedFile.
std::int64_t saved_samples(const std::filesystem::path& folder);

// Fills the optimiser's tensors. EngineError: MissingFile, MalformedFile, ShapeMismatch (another model).
RunPosition load_state(const std::filesystem::path& folder, AdamW& optimizer);

}  // namespace mirror::engine::training
