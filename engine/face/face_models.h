#pragma once

// Where the detectors' model files are.

#include <filesystem>
#include <string>

namespace mirror::face {

// The folder in the environment variable MIRROR_FACE_MODELS, then the one chosen when the program was built, then the
// places where distributions put the files. EngineError (MissingFile) says what to install.
std::filesystem::path find_landmark_model();
std::filesystem::path find_haar_cascade();

}  // namespace mirror::face
