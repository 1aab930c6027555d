#pragma once

// What `models` says about a checkpoint folder or a file, as lines for people and as JSON for programs.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/face/face_models.h"
#include "engine/session/identify_file.h"
#include "engine/session/licences.h"
#include "engine/session/model_info.h"
#include "engine/session/verify_model.h"

namespace mirror::cli {

// A part of the published layout that a folder does not have.
struct MissingPart {
    std::string folder;  // "image_encoder/"
    std::string what;    // What belongs there, and where it comes from.
};

// One checkpoint folder.
struct ModelReport {
    std::filesystem::path path;
    std::optional<Error> unusable;  // Then nothing of info and parts is known.
    engine::ModelInfo info;
    std::vector<engine::PartReport> parts;
    std::vector<engine::Licence> licences;
    std::vector<MissingPart> missing;
    std::optional<std::filesystem::path> recognizer;  // An installed one that stands in for recognizer/.
    std::uint64_t bytes = 0;                          // Of all its files on the disk.
};

// `networks` are the face networks that are installed.
ModelReport report_model(const std::filesystem::path& model, const std::vector<face::NetworkFile>& networks);

// Whether a folder looks like a checkpoint, whole or not.
bool is_model_folder(const std::filesystem::path& folder);

// One line for a list, all lines, and JSON.
std::string model_line(const ModelReport& report);
std::vector<std::string> model_lines(const ModelReport& report);
std::string model_json(const ModelReport& report);

// A face network outside of every checkpoint.
std::string network_line(const face::NetworkFile& network);
std::string network_json(const face::NetworkFile& network);

std::string part_line(const engine::PartReport& part);
std::string parts_json(const std::string& path, const std::vector<engine::PartReport>& parts);

std::vector<std::string> identity_lines(const engine::FileIdentity& identity);
std::string identity_json(const std::string& file, const engine::FileIdentity& identity);

}  // namespace mirror::cli
