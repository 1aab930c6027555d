#pragma once

// Makes complete checkpoint folders in the published layout with random weights, so that every path runs without
// downloads.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::engine {

// What may be handed to init_checkpoint: "cogvideox-5b", "demo", "pocket", "tiny".
std::vector<std::string> checkpoint_presets();

struct CheckpointWatch {
    std::function<void(double fraction)> progress;  // Of all bytes; may be empty.
    std::stop_token stop;                           // Looked at every few million numbers.
};

// `folder` must be absent or empty; after a failure or a stop nothing of it is left. The same preset and seed give the
// same bytes on every machine. model_index.json carries "_random_weights": true, so that programs can say so. Errors:
// InvalidRequest (unknown preset, folder in use), WriteFailed, Cancelled.
Status init_checkpoint(std::string_view preset, std::uint64_t seed, const std::filesystem::path& folder,
                       const CheckpointWatch& watch = {});

}  // namespace mirror::engine
