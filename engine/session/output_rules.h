#pragma once

// What a run may write over: nothing, or a regular file that it does not read, by whatever spelling or link.

#include <filesystem>
#include <vector>

#include "engine/core/result.h"

namespace mirror::engine {

// Every file that a checkpoint folder consists of, links followed: those in the folders of the published layout.
std::vector<std::filesystem::path> files_of_model(const std::filesystem::path& folder);

// The file, and the shards that it lists if it is an index.
std::vector<std::filesystem::path> files_of_adapter(const std::filesystem::path& file);

// Before anything is computed: the folder exists and can be written, `output` is absent or a regular file, and it is
// none of `inputs`. Errors: WriteFailed, InvalidRequest; the sentence names the file.
Status check_output(const std::filesystem::path& output, const std::vector<std::filesystem::path>& inputs);

// Where a name leads, links followed: two names of one place are equal, whether there is something or not.
std::filesystem::path place_of(const std::filesystem::path& file);

}  // namespace mirror::engine
