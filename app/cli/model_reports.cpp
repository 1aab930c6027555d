#include "app/cli/model_reports.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/session/output_rules.h"

namespace mirror::cli {

namespace {

using Json = nlohmann::ordered_json;

struct KnownPart {
    const char* folder;
    const char* what;
};
constexpr std::array kParts{
    KnownPart{"transformer", "the published CogVideoX transformer"},
    KnownPart{"vae", "the published CogVideoX VAE"},
    KnownPart{"text_encoder", "the published T5 encoder"},
    KnownPart{"tokenizer", "the published spiece.model"},
    KnownPart{"scheduler", "the published scheduler_config.json"},
    KnownPart{"image_encoder", "the CLIP vision tower; models import takes it out of PhotoMaker V2's file"},
    KnownPart{"id_perceiver", "the identity perceiver; models import takes it out of PhotoMaker V2's file"},
    KnownPart{"recognizer", "the face recogniser that the adapter was trained with"},
    KnownPart{"adapter", "a Magic Mirror adapter; without one only --method none works"},
};

std::string json_line(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json parts_list(const std::vector<engine::PartReport>& parts) {
    Json list = Json::array();
    for (const auto& part : parts)
        list.push_back({{"name", part.name},
                        {"tensors", part.tensors},
                        {"parameters", part.parameters},
                        {"bytes", part.bytes},
                        {"without_use", part.unread}});
    return list;
}

}  // namespace

std::vector<MissingPart> missing_parts(const std::filesystem::path& model) {
    std::vector<MissingPart> missing;
    std::error_code error;
    for (const KnownPart& part : kParts)
        if (!std::filesystem::is_directory(model / part.folder, error))
            missing.push_back({std::string(part.folder) + "/", part.what});
    return missing;
}

std::uint64_t folder_bytes(const std::filesystem::path& model) {
    std::uint64_t bytes = 0;
    for (const auto& file : engine::files_of_model(model)) {
        std::error_code error;
        const auto size = std::filesystem::file_size(file, error);
        if (!error) bytes += size;
    }
    return bytes;
}

std::vector<std::string> model_lines(const std::string& folder, const engine::ModelInfo& info,
                                     const std::vector<engine::PartReport>& parts) {
    const VideoSpec& video = info.video;
    std::vector<std::string> lines{
        "made for       " + std::to_string(video.frames) + " frames of " + std::to_string(video.width) + "x" +
            std::to_string(video.height) + " at " + std::to_string(video.rate.numerator) + " a second",
        "starts from    " + std::string(info.takes_image ? "an image and a text" : "a text"),
        "text           " + std::to_string(info.text_tokens) + " tokens",
        "sampler        " + std::string(to_text(info.sampler)) + ", dynamic guidance " + to_text(info.dynamic_guidance),
        "weights        " + std::string(info.random_weights ? "random: pictures will be noise" : "trained")};
    for (const auto& part : parts) lines.push_back(part_line(part));
    for (const auto& missing : missing_parts(folder))
        lines.push_back("missing        " + missing.folder + ": " + missing.what);
    return lines;
}

std::string model_json(const std::string& folder, const engine::ModelInfo& info,
                       const std::vector<engine::PartReport>& parts) {
    Json missing = Json::array();
    for (const auto& part : missing_parts(folder)) missing.push_back({{"folder", part.folder}, {"what", part.what}});
    return json_line({{"path", folder},
                      {"bytes", folder_bytes(folder)},
                      {"frames", info.video.frames},
                      {"width", info.video.width},
                      {"height", info.video.height},
                      {"frames_per_second", info.video.rate.numerator},
                      {"takes_image", info.takes_image},
                      {"text_tokens", info.text_tokens},
                      {"sampler", to_text(info.sampler)},
                      {"dynamic_guidance", to_text(info.dynamic_guidance)},
                      {"random_weights", info.random_weights},
                      {"parts", parts_list(parts)},
                      {"missing", missing}});
}

std::string part_line(const engine::PartReport& part) {
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), "%-14.60s %6llu tensors %14llu parameters %10.1f MiB", part.name.c_str(),
                  static_cast<unsigned long long>(part.tensors), static_cast<unsigned long long>(part.parameters),
                  static_cast<double>(part.bytes) / (1 << 20));
    return text.data();
}

std::string parts_json(const std::string& path, const std::vector<engine::PartReport>& parts) {
    return json_line({{"path", path}, {"whole", true}, {"parts", parts_list(parts)}});
}

std::vector<std::string> identity_lines(const engine::FileIdentity& identity) {
    std::vector<std::string> lines{"kind           " + identity.kind};
    if (!identity.home.empty()) lines.push_back("belongs in     " + identity.home);
    lines.push_back("sha256         " + identity.sha256);
    return lines;
}

std::string identity_json(const std::string& file, const engine::FileIdentity& identity) {
    return json_line(
        {{"file", file}, {"kind", identity.kind}, {"belongs_in", identity.home}, {"sha256", identity.sha256}});
}

}  // namespace mirror::cli
