#include "engine/face/network_kind.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mirror::face {
namespace {

constexpr std::int64_t arcface_numbers = 512;
constexpr std::int64_t sface_numbers = 128;
constexpr std::int64_t landmark_side = 192;
constexpr std::int64_t gender_side = 96;

struct PublishedName {
    std::string_view file;
    std::string_view id_pack;
};
constexpr std::array published_names{PublishedName{"w600k_r50.onnx", "buffalo_l/w600k_r50"},
                                     PublishedName{"glintr100.onnx", "antelopev2/glintr100"},
                                     PublishedName{"w600k_mbf.onnx", "buffalo_s/w600k_mbf"}};

bool has_output(const formats::OnnxOutline& outline, std::string_view name) {
    return std::any_of(outline.outputs.begin(), outline.outputs.end(),
                       [&](const formats::OnnxValue& output) { return output.name == name; });
}

NetworkKind kind_of_single_output(const formats::OnnxOutline& outline) {
    const auto& input = outline.inputs[0].shape;
    const auto& output = outline.outputs[0].shape;
    if (input[2] != input[3] || output.empty()) return NetworkKind::Unknown;
    if (input[2] == landmark_side) return NetworkKind::Landmarks;
    if (input[2] == gender_side && output.back() == 3) return NetworkKind::GenderAge;
    if (input[2] != 112) return NetworkKind::Unknown;
    if (output.back() == arcface_numbers) return NetworkKind::ArcFace;
    return output.back() == sface_numbers ? NetworkKind::SFace : NetworkKind::Unknown;
}

}  // namespace

NetworkKind kind_of(const formats::OnnxOutline& outline) {
    if (outline.inputs.size() != 1) return NetworkKind::Unknown;
    const auto& input = outline.inputs[0].shape;
    if (input.size() != 4 || input[1] != 3) return NetworkKind::Unknown;
    switch (outline.outputs.size()) {
        case 1:
            return kind_of_single_output(outline);
        case 3:
            return has_output(outline, "loc") && has_output(outline, "conf") && has_output(outline, "iou")
                       ? NetworkKind::Yunet2022
                       : NetworkKind::Unknown;
        case 6:
        case 10:
            return NetworkKind::ScrfdWithoutLandmarks;
        case 9:
        case 15:
            return NetworkKind::ScrfdWithLandmarks;
        case 12:
            return has_output(outline, "cls_8") && has_output(outline, "obj_8") ? NetworkKind::Yunet2023
                                                                                : NetworkKind::Unknown;
        default:
            return NetworkKind::Unknown;
    }
}

bool is_detector(NetworkKind kind) {
    return kind == NetworkKind::ScrfdWithLandmarks || kind == NetworkKind::ScrfdWithoutLandmarks ||
           kind == NetworkKind::Yunet2022 || kind == NetworkKind::Yunet2023;
}

bool is_recognizer(NetworkKind kind) { return kind == NetworkKind::ArcFace || kind == NetworkKind::SFace; }

const char* to_text(NetworkKind kind) {
    switch (kind) {
        case NetworkKind::ScrfdWithLandmarks:
            return "SCRFD face detector with landmarks";
        case NetworkKind::ScrfdWithoutLandmarks:
            return "SCRFD face detector without landmarks";
        case NetworkKind::Yunet2022:
        case NetworkKind::Yunet2023:
            return "YuNet face detector";
        case NetworkKind::ArcFace:
            return "ArcFace face recogniser";
        case NetworkKind::SFace:
            return "SFace face recogniser";
        case NetworkKind::Landmarks:
            return "insightface's face landmarks";
        case NetworkKind::GenderAge:
            return "insightface's gender and age";
        case NetworkKind::Unknown:
            break;
    }
    return "ONNX network of an unknown kind";
}

std::string id_pack_of(NetworkKind kind, const std::filesystem::path& file) {
    if (kind == NetworkKind::SFace) return "sface";
    if (kind != NetworkKind::ArcFace) return {};
    for (const PublishedName& name : published_names)
        if (file.filename() == name.file) return std::string(name.id_pack);
    return "custom";
}

}  // namespace mirror::face
