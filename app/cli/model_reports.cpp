#include "app/cli/model_reports.h"

#include <algorithm>
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
    KnownPart{"recognizer",
              "the face recogniser that the adapter was trained with, or its ONNX file among the face models"},
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

Json licences_list(const std::vector<engine::Licence>& licences) {
    Json list = Json::array();
    for (const auto& licence : licences)
        list.push_back({{"part", licence.part}, {"name", licence.name}, {"source", licence.source}});
    return list;
}

bool has_part(const std::filesystem::path& model, const char* part) {
    std::error_code error;
    return std::filesystem::is_directory(model / part, error);
}

std::uint64_t bytes_of(const std::vector<std::filesystem::path>& files) {
    std::uint64_t bytes = 0;
    for (const auto& file : files) {
        std::error_code error;
        const auto size = std::filesystem::file_size(file, error);
        if (!error) bytes += size;
    }
    return bytes;
}

// The installed recogniser that the folder's adapter understands.
std::optional<std::filesystem::path> fitting_recognizer(const std::filesystem::path& model,
                                                        const std::vector<face::NetworkFile>& networks) {
    const auto adapter = engine::find_adapter(model, {});
    if (!adapter) return std::nullopt;
    const auto facts = engine::read_adapter_facts(adapter.value());
    if (!facts) return std::nullopt;
    for (const auto& network : networks)
        if (face::is_recognizer(network.kind) && face::id_pack_of(network.kind, network.file) == facts.value().id_pack)
            return network.file;
    return std::nullopt;
}

std::string size_text(std::uint64_t bytes) {
    std::array<char, 32> text{};
    const double mebibytes = static_cast<double>(bytes) / (1 << 20);
    std::snprintf(text.data(), text.size(), mebibytes < 1024 ? "%.1f MiB" : "%.2f GiB",
                  mebibytes < 1024 ? mebibytes : mebibytes / 1024);
    return text.data();
}

}  // namespace

ModelReport report_model(const std::filesystem::path& model, const std::vector<face::NetworkFile>& networks) {
    ModelReport report;
    report.path = model;
    for (const KnownPart& part : kParts)
        if (!has_part(model, part.folder)) report.missing.push_back({std::string(part.folder) + "/", part.what});
    if (!has_part(model, "recognizer")) report.recognizer = fitting_recognizer(model, networks);
    if (report.recognizer)
        std::erase_if(report.missing, [](const MissingPart& part) { return part.folder == "recognizer/"; });
    report.licences = engine::licences_of_model(model);
    report.bytes = bytes_of(engine::files_of_model(model));
    auto info = engine::read_model_info(model);
    auto parts = info ? engine::describe_model(model) : Result<std::vector<engine::PartReport>>(info.error());
    if (!parts) {
        report.unusable = parts.error();
        return report;
    }
    report.info = std::move(info).value();
    report.parts = std::move(parts).value();
    return report;
}

bool is_model_folder(const std::filesystem::path& folder) {
    return std::any_of(kParts.begin(), kParts.end(),
                       [&](const KnownPart& part) { return has_part(folder, part.folder); });
}

std::string model_line(const ModelReport& report) {
    std::string line = report.path.string() + "  " + size_text(report.bytes);
    if (report.unusable) return line + "  cannot be used: " + report.unusable->detail;
    line += "  " + report.licences.front().name;
    for (const MissingPart& part : report.missing)
        line += (&part == &report.missing.front() ? "  missing " : ", ") + part.folder;
    return line;
}

std::vector<std::string> model_lines(const ModelReport& report) {
    const VideoSpec& video = report.info.video;
    std::vector<std::string> lines{
        "made for       " + std::to_string(video.frames) + " frames of " + std::to_string(video.width) + "x" +
            std::to_string(video.height) + " at " + std::to_string(video.rate.numerator) + " a second",
        "starts from    " + std::string(report.info.takes_image ? "an image and a text" : "a text"),
        "text           " + std::to_string(report.info.text_tokens) + " tokens",
        "sampler        " + std::string(to_text(report.info.sampler)) + ", dynamic guidance " +
            to_text(report.info.dynamic_guidance),
        "weights        " + std::string(report.info.random_weights ? "random: pictures will be noise" : "trained"),
        "on the disk    " + size_text(report.bytes)};
    for (const auto& licence : report.licences)
        lines.push_back("licence        " + licence.part + ": " + licence.name +
                        (licence.source.empty() ? "" : " (" + licence.source + ")"));
    for (const auto& part : report.parts) lines.push_back(part_line(part));
    if (report.recognizer) lines.push_back("recognizer     " + report.recognizer->string());
    for (const auto& part : report.missing) lines.push_back("missing        " + part.folder + ": " + part.what);
    return lines;
}

std::string model_json(const ModelReport& report) {
    Json missing = Json::array();
    for (const auto& part : report.missing) missing.push_back({{"folder", part.folder}, {"what", part.what}});
    Json object{{"path", report.path.string()}, {"bytes", report.bytes}, {"licences", licences_list(report.licences)}};
    if (report.recognizer) object["installed_recognizer"] = report.recognizer->string();
    if (report.unusable) {
        object["error"] = report.unusable->detail;
    } else {
        const engine::ModelInfo& info = report.info;
        object.update(Json{{"frames", info.video.frames},
                           {"width", info.video.width},
                           {"height", info.video.height},
                           {"frames_per_second", info.video.rate.numerator},
                           {"takes_image", info.takes_image},
                           {"text_tokens", info.text_tokens},
                           {"sampler", to_text(info.sampler)},
                           {"dynamic_guidance", to_text(info.dynamic_guidance)},
                           {"random_weights", info.random_weights},
                           {"parts", parts_list(report.parts)}});
    }
    object["missing"] = missing;
    return json_line(object);
}

std::string network_line(const face::NetworkFile& network) {
    const std::string licence = engine::licence_of_network(network.kind);
    return network.file.string() + "  " + size_text(bytes_of({network.file})) + "  " + face::to_text(network.kind) +
           (licence.empty() ? "" : "  " + licence);
}

std::string network_json(const face::NetworkFile& network) {
    return json_line({{"path", network.file.string()},
                      {"bytes", bytes_of({network.file})},
                      {"kind", face::to_text(network.kind)},
                      {"id_pack", face::id_pack_of(network.kind, network.file)},
                      {"licences", licences_list({{"network", engine::licence_of_network(network.kind), ""}})}});
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
    if (!identity.id_pack.empty()) lines.push_back("id_pack        " + identity.id_pack);
    if (!identity.licence.empty()) lines.push_back("licence        " + identity.licence);
    lines.push_back("sha256         " + identity.sha256);
    return lines;
}

std::string identity_json(const std::string& file, const engine::FileIdentity& identity) {
    return json_line({{"file", file},
                      {"kind", identity.kind},
                      {"belongs_in", identity.home},
                      {"id_pack", identity.id_pack},
                      {"licence", identity.licence},
                      {"sha256", identity.sha256}});
}

}  // namespace mirror::cli
