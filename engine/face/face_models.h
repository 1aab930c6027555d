#pragma once

// Where the detectors' model files are.

#include <filesystem>
#include <optional>
#include <string>

namespace mirror::face {

// The folder in the environment variable MIRROR_FACE_MODELS, then the one chosen when the program was built, then the
// places where distributions put the files. EngineError (MissingFile) says what to install.
std::filesystem::path find_landmark_model();
std::filesystem::path find_haar_cascade();

// insightface's SCRFD in the first two of these places, under a published name: det_10g.onnx (buffalo_l),
// scrfd_10g_bnkps.onnx (antelopev2), det_2.5g.onnx, det_500m.onnx. It need not be there.
std::optional<std::filesystem::path> find_detector_network();

}  // namespace mirror::face
