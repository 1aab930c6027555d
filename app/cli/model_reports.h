#pragma once

// What `models` says about a checkpoint folder or a file, as lines for people and as JSON for programs.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/session/identify_file.h"
#include "engine/session/model_info.h"
#include "engine/session/verify_model.h"

namespace mirror::cli {

// A part of the published layout that a folder does not have.
struct MissingPart {
    std::string folder;  // "image_encoder/"
    std::string what;    // What belongs there, and where it comes from.
};
std::vector<MissingPart> missing_parts(const std::filesystem::path& model);

// Of all files of the checkpoint on the disk.
std::uint64_t folder_bytes(const std::filesystem::path& model);

std::vector<std::string> model_lines(const std::string& folder, const engine::ModelInfo& info,
                                     const std::vector<engine::PartReport>& parts);
std::string model_json(const std::string& folder, const engine::ModelInfo& info,
                       const std::vector<engine::PartReport>& parts);

std::string part_line(const engine::PartReport& part);
std::string parts_json(const std::string& path, const std::vector<engine::PartReport>& parts);

std::vector<std::string> identity_lines(const engine::FileIdentity& identity);
std::string identity_json(const std::string& file, const engine::FileIdentity& identity);

}  // namespace mirror::cli
