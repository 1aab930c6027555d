#pragma once

// A project as the command line is given it: a folder, or the same packed into one file.

#include <filesystem>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/archive/packed_folder.h"
#include "engine/core/face.h"
#include "engine/core/project.h"
#include "engine/session/story.h"

namespace mirror::cli {

class OpenedProject {
public:
    // Decides by content. Throws EngineError.
    static OpenedProject open(const std::filesystem::path& place, const std::stop_token& stop);

    // A packed project's references are called as if it were a folder of the same name.
    engine::Story story(const GenerationRequest& model_defaults) const;
    // What the story reads.
    std::vector<std::filesystem::path> files(const engine::Story& story) const;
    std::unique_ptr<FaceReader> face_reader() const;

private:
    std::filesystem::path place_;
    std::shared_ptr<const archive::PackedFolder> packed_;  // Null: a folder.
    Project project_;
};

// Puts a project's folder into one file, which open() takes. Throws UsageError and EngineError.
void pack_project(const std::filesystem::path& folder, const std::filesystem::path& target,
                  const std::stop_token& stop);

}  // namespace mirror::cli
