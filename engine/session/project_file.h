#pragma once

// A project on disk: a folder NAME.mirror with project.json and, below it, the files that this names. What comes from
// it is untrusted: sizes are limited, unknown keys are refused, and no name leads out of the folder, by dots or by
// links.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/project.h"
#include "engine/core/result.h"

namespace mirror::engine {

inline constexpr int kProjectVersion = 1;

// Errors: MissingFile, MalformedFile, InvalidRequest; the sentence names the file and the key. The references are
// checked by name only: open them with file_in_project().
Result<Project> read_project(const std::filesystem::path& folder);

// The same from the text of a project.json; `origin` is what messages call it. Errors: MalformedFile.
Result<Project> parse_project(const std::string& json, const std::string& origin);

// Every file that belongs into a copy of the project, relative to the folder and sorted: all but hidden ones. Links to
// files within it count as files. Errors: as read_project(); MissingFile for a reference that is not there,
// InvalidRequest for what is neither a file nor a folder.
Result<std::vector<std::filesystem::path>> files_of_project(const std::filesystem::path& folder);

// Makes the folder with `references` and `takes` if need be, and replaces project.json. Keys are sorted; what a
// project does not say is left out. Errors: InvalidRequest, WriteFailed.
Status write_project(const std::filesystem::path& folder, const Project& project);

// `relative` below the folder: a regular file that really lies there, links followed. Errors: InvalidRequest,
// MissingFile.
Result<std::filesystem::path> file_in_project(const std::filesystem::path& folder,
                                              const std::filesystem::path& relative);

}  // namespace mirror::engine
