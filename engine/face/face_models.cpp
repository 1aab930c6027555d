#include "engine/face/face_models.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "engine/core/result.h"
#include "engine/weights/mapped_file.h"

#ifndef MIRROR_FACE_MODELS_DIR
#define MIRROR_FACE_MODELS_DIR ""
#endif

namespace mirror::face {
namespace {

struct Published {
    std::string_view file;
    NetworkKind kind;
};
// The most exact first.
constexpr std::array published{Published{"det_10g.onnx", NetworkKind::ScrfdWithLandmarks},
                               Published{"scrfd_10g_bnkps.onnx", NetworkKind::ScrfdWithLandmarks},
                               Published{"det_2.5g.onnx", NetworkKind::ScrfdWithLandmarks},
                               Published{"det_500m.onnx", NetworkKind::ScrfdWithLandmarks},
                               Published{"face_detection_yunet_2023mar.onnx", NetworkKind::Yunet2023},
                               Published{"face_detection_yunet_2022mar.onnx", NetworkKind::Yunet2022},
                               Published{"w600k_r50.onnx", NetworkKind::ArcFace},
                               Published{"glintr100.onnx", NetworkKind::ArcFace},
                               Published{"w600k_mbf.onnx", NetworkKind::ArcFace},
                               Published{"face_recognition_sface_2021dec.onnx", NetworkKind::SFace}};

constexpr std::array packs{"", "buffalo_l", "antelopev2", "buffalo_m", "buffalo_s", "buffalo_sc"};

bool has_file(const std::filesystem::path& folder, const std::string& file) {
    std::error_code ignored;
    return !folder.empty() && std::filesystem::is_regular_file(folder / file, ignored);
}

std::filesystem::path find_model(const std::string& file, std::initializer_list<const char*> folders,
                                 const std::string& package) {
    std::vector<std::filesystem::path> candidates = face_model_folders();
    candidates.insert(candidates.end(), folders.begin(), folders.end());
    for (const std::filesystem::path& folder : candidates)
        if (has_file(folder, file)) return folder / file;
    throw EngineError(ErrorCode::MissingFile, "The face model " + file + " is missing; install the package " + package +
                                                  " or set MIRROR_FACE_MODELS to the folder that has it.");
}

std::size_t rank_of(const std::filesystem::path& file) {
    const auto same = [&](const Published& each) { return file.filename() == each.file; };
    return static_cast<std::size_t>(std::find_if(published.begin(), published.end(), same) - published.begin());
}

NetworkKind read_kind(const std::filesystem::path& file) {
    const auto mapped = engine::MappedFile::open(file);
    if (mapped) {
        const auto outline = formats::parse_onnx_outline(mapped.value()->bytes(), "");
        if (outline) return kind_of(outline.value());
    }
    const std::size_t rank = rank_of(file);
    return rank < published.size() ? published[rank].kind : NetworkKind::Unknown;
}

void add_networks(const std::filesystem::path& folder, std::vector<NetworkFile>& networks) {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        std::error_code ignored;
        if (entry->path().extension() == ".onnx" && entry->is_regular_file(ignored)) files.push_back(entry->path());
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
        return std::pair(rank_of(a), a.filename()) < std::pair(rank_of(b), b.filename());
    });
    for (const std::filesystem::path& file : files) networks.push_back({file, read_kind(file)});
}

}  // namespace

std::vector<std::filesystem::path> face_model_folders() {
    std::vector<std::filesystem::path> folders;
    if (const char* chosen = std::getenv("MIRROR_FACE_MODELS"); chosen != nullptr && *chosen != '\0')
        folders.emplace_back(chosen);
    if (const std::filesystem::path built_in = MIRROR_FACE_MODELS_DIR; !built_in.empty()) folders.push_back(built_in);
    return folders;
}

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

std::vector<NetworkFile> find_networks() {
    std::vector<NetworkFile> networks;
    for (const std::filesystem::path& folder : face_model_folders())
        for (const char* pack : packs) add_networks(*pack == '\0' ? folder : folder / pack, networks);
    return networks;
}

std::optional<NetworkFile> find_detector_network() {
    for (const NetworkFile& network : find_networks())
        if (is_detector(network.kind)) return network;
    return std::nullopt;
}

}  // namespace mirror::face
