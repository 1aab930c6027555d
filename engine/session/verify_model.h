#pragma once

// Reads a checkpoint folder, or one file of weights, as the engine would, and says what is in it. Names no torch type.

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/result.h"

namespace mirror::engine {

struct PartReport {
    std::string name;  // "transformer", "adapter", or the file
    std::uint64_t tensors = 0;
    std::uint64_t parameters = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> unread;  // Names that the model has no use for.
};

// The parts that are there, from file headers alone.
Result<std::vector<PartReport>> describe_model(const std::filesystem::path& folder);

// Every part that is there must have exactly what its config asks for in the right shapes, and no NaN or infinity. The
// error names the file and the tensor or key. The adapter must understand the recogniser that a run would take: the
// folder's own, or one that `faces` has installed. A file is checked by itself.
Result<std::vector<PartReport>> verify_model(const std::filesystem::path& folder_or_file, FaceReader& faces,
                                             std::stop_token stop);

}  // namespace mirror::engine
