#include "engine/face/face_models.h"

#include <cstdlib>
#include <initializer_list>
#include <vector>

#include "engine/core/result.h"

#ifndef MIRROR_FACE_MODELS_DIR
#define MIRROR_FACE_MODELS_DIR ""
#endif

namespace mirror::face {
namespace {

std::vector<std::filesystem::path> chosen_folders() {
    std::vector<std::filesystem::path> folders;
    if (const char* chosen = std::getenv("MIRROR_FACE_MODELS")) folders.emplace_back(chosen);
    folders.emplace_back(MIRROR_FACE_MODELS_DIR);
    return folders;
}

bool has_file(const std::filesystem::path& folder, const std::string& file) {
    std::error_code ignored;
    return !folder.empty() && std::filesystem::is_regular_file(folder / file, ignored);
}

std::filesystem::path find_model(const std::string& file, std::initializer_list<const char*> folders,
                                 const std::string& package) {
    std::vector<std::filesystem::path> candidates = chosen_folders();
    candidates.insert(candidates.end(), folders.begin(), folders.end());
    for (const std::filesystem::path& folder : candidates)
        if (has_file(folder, file)) return folder / file;
    throw EngineError(ErrorCode::MissingFile, "The face model " + file + " is missing; install the package " + package +
                                                  " or set MIRROR_FACE_MODELS to the folder that has it.");
}

}  // namespace

std::filesystem::path find_landmark_model() {
    return find_model("shape_predictor_68_face_landmarks.dat",
                      {"/usr/share/dlib", "/usr/share/libdlib-data", "/usr/local/share/dlib"}, "libdlib-data");
}

std::filesystem::path find_haar_cascade() {
    return find_model(
        "haarcascade_frontalface_alt2.xml",
        {"/usr/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades", "/usr/local/share/opencv4/haarcascades"},
        "opencv-data");
}

std::optional<std::filesystem::path> find_detector_network() {
    for (const std::filesystem::path& folder : chosen_folders())
        for (const char* file : {"det_10g.onnx", "scrfd_10g_bnkps.onnx", "det_2.5g.onnx", "det_500m.onnx"})
            if (has_file(folder, file)) return folder / file;
    return std::nullopt;
}

}  // namespace mirror::face
