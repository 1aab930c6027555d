#pragma once

// Under which licence a model is published: what its own files say, otherwise what is known of the published one. Names
// no torch type.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/face/network_kind.h"

namespace mirror::engine {

struct Licence {
    std::string part;    // "checkpoint", "adapter", "id_perceiver"
    std::string name;    // "Apache-2.0"; "not stated" if nothing says it.
    std::string source;  // "README.md", "LICENSE", "its metadata", "the published model"; empty if not stated.
};

inline constexpr const char* kInsightfaceLicence = "insightface: non-commercial research only";
inline constexpr const char* kPhotoMakerLicence = "Apache-2.0";

// Of a checkpoint folder: of the whole, then of parts that come from elsewhere. Files that cannot be read say nothing.
std::vector<Licence> licences_of_model(const std::filesystem::path& model);

// Of a published face network; empty for an unknown one.
std::string licence_of_network(face::NetworkKind kind);

}  // namespace mirror::engine
