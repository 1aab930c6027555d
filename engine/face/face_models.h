#pragma once

// Where the detectors' and recognisers' model files are.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/face/network_kind.h"

namespace mirror::face {

// The folder in the environment variable MIRROR_FACE_MODELS, then the one chosen when the program was built.
std::vector<std::filesystem::path> face_model_folders();

// In these folders, then in the places where distributions put the files. EngineError (MissingFile) says what to
// install.
std::filesystem::path find_landmark_model();
std::filesystem::path find_haar_cascade();

struct NetworkFile {
    std::filesystem::path file;
    NetworkKind kind = NetworkKind::Unknown;  // By content; that of its published name if it cannot be read.
};

// Every ONNX file in these folders and in the folders of insightface's packs below them (buffalo_l, antelopev2 ...):
// folder by folder, published names first in the order of preference, then the others by name.
std::vector<NetworkFile> find_networks();

// The first of them that finds faces. None need be there.
std::optional<NetworkFile> find_detector_network();

}  // namespace mirror::face
