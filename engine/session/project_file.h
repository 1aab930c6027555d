#pragma once

// A project on disk: a folder NAME.mirror with project.json and, below it, the files that this names. What comes from
// it is untrusted: sizes are limited, unknown keys are refused, and no name leads out of the folder, by dots or by
// links.

#include <filesystem>

#include "engine/core/project.h"
#include "engine/core/result.h"

namespace mirror::engine {

inline constexpr int kProjectVersion = 1;

// Errors: MissingFile, MalformedFile, InvalidRequest; the sentence names the file and the key. The references are
// checked by name only: open them with file_in_project().
Result<Project> read_project(const std::filesystem::path& folder);

// Makes the folder with `references` and `takes` if need be, and replaces project.json. Keys are sorted; what a
// project does not say is left out. Errors: InvalidRequest, WriteFailed.
Status write_project(const std::filesystem::path& folder, const Project& project);

// `relative` below the folder: a regular file that really lies there, links followed. Errors: InvalidRequest,
// MissingFile.
Result<std::filesystem::path> file_in_project(const std::filesystem::path& folder,
                                              const std::filesystem::path& relative);

}  // namespace mirror::engine
