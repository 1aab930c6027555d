#pragma once

// Which of the published face networks an ONNX file holds, told by what goes in and comes out: exports name their
// operations as they like. Knows neither OpenCV nor libtorch.

#include <filesystem>
#include <string>

#include "engine/core/result.h"
#include "engine/formats/onnx_outline.h"

namespace mirror::face {

enum class NetworkKind {
    Unknown,
    ScrfdWithLandmarks,
    ScrfdWithoutLandmarks,
    Yunet2022,  // Three outputs, priors of the SSD kind.
    Yunet2023,  // Twelve outputs, no priors.
    ArcFace,    // 512 numbers
    SFace,      // 128 numbers
    Landmarks,  // insightface's 2d106det and 1k3d68
    GenderAge,
};

NetworkKind kind_of(const formats::OnnxOutline& outline);

bool is_detector(NetworkKind kind);
bool is_recognizer(NetworkKind kind);

// "SCRFD face detector with landmarks".
const char* to_text(NetworkKind kind);

// The embedding space of a recogniser ("buffalo_l/w600k_r50"), by its kind and the name that it is published under;
// "custom" if that is none.
std::string id_pack_of(NetworkKind kind, const std::filesystem::path& file);

}  // namespace mirror::face
