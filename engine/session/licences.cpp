#include "engine/session/licences.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "engine/backbones/cogvideox/config.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/session/error_boundary.h"
#include "engine/session/model_info.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/mapped_file.h"

namespace mirror::engine {

namespace {

constexpr std::uint64_t kLongestText = 1 << 20;
constexpr std::size_t kLongestName = 100;

std::optional<std::string> text_of(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;
    auto text = read_whole_file(file, kLongestText);
    if (!text) return std::nullopt;
    return std::move(text).value();
}

std::string trimmed(std::string text) {
    const auto is_outside = [](char c) {
        return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '"' || c == '\'';
    };
    while (!text.empty() && is_outside(text.back())) text.pop_back();
    const auto first = std::find_if_not(text.begin(), text.end(), is_outside);
    text.erase(text.begin(), first);
    return text.substr(0, kLongestName);
}

// Model cards write names in small letters.
std::string spelled(const std::string& name) {
    if (name == "apache-2.0") return "Apache-2.0";
    if (name == "mit") return "MIT";
    if (name.starts_with("cogvideox")) return "CogVideoX License";
    return name;
}

// The field of a model card's front matter, the lines between two `---`.
std::string card_field(const std::string& card, std::string_view field) {
    std::istringstream lines(card);
    std::string line;
    if (!std::getline(lines, line) || trimmed(line) != "---") return {};
    while (std::getline(lines, line) && trimmed(line) != "---")
        if (line.starts_with(field) && line.size() > field.size() && line[field.size()] == ':')
            return trimmed(line.substr(field.size() + 1));
    return {};
}

std::string licence_on_card(const std::string& card) {
    const std::string name = card_field(card, "license");
    if (!name.empty() && name != "other") return spelled(name);
    return spelled(card_field(card, "license_name"));
}

// What the text of a licence calls itself.
std::string licence_in_text(const std::string& text) {
    const std::string_view head = std::string_view(text).substr(0, 2000);
    const auto has = [&](std::string_view words) { return head.find(words) != std::string_view::npos; };
    if (has("CogVideoX L")) return "CogVideoX License";
    if (has("Apache License") && has("Version 2.0")) return "Apache-2.0";
    if (has("MIT License")) return "MIT";
    return {};
}

// CogVideoX-2B is under Apache-2.0, the larger ones under their own licence; sizes tell them apart.
std::string licence_of_sizes(const std::filesystem::path& model) {
    const auto read = guarded_value<std::string>([&]() -> std::string {
        const auto config = cogvideox::read_transformer_config(model / "transformer" / "config.json");
        if (config.num_layers == 30 && config.num_attention_heads == 30) return "Apache-2.0";
        if (config.num_layers == 42 && config.num_attention_heads == 48) return "CogVideoX License";
        return {};
    });
    return read.ok() ? read.value() : std::string();
}

Licence licence_of_checkpoint(const std::filesystem::path& model) {
    for (const char* name : {"README.md", "LICENSE", "LICENSE.txt", "LICENSE.md"}) {
        const auto text = text_of(model / name);
        if (!text) continue;
        const std::string licence =
            std::string_view(name) == "README.md" ? licence_on_card(*text) : licence_in_text(*text);
        if (!licence.empty()) return {"checkpoint", licence, name};
    }
    const std::string known = licence_of_sizes(model);
    if (!known.empty()) return {"checkpoint", known, "the published model"};
    return {"checkpoint", "not stated", ""};
}

// Whether id_perceiver/ has the sizes of PhotoMaker V2's; one of other sizes was trained by somebody else.
bool has_published_perceiver(const std::filesystem::path& model) {
    const auto read = guarded_value<bool>([&] {
        const auto config =
            magic_mirror::read_perceiver_id_config(ConfigReader::open(model / "id_perceiver" / "config.json"));
        return config.shape == magic_mirror::PerceiverIdShape();
    });
    return read.ok() && read.value();
}

}  // namespace

std::vector<Licence> licences_of_model(const std::filesystem::path& model) {
    const auto info = read_model_info(model);
    if (info.ok() && info.value().random_weights) return {{"checkpoint", "none: random weights", "model_index.json"}};
    std::vector<Licence> licences{licence_of_checkpoint(model)};
    if (has_published_perceiver(model))
        licences.push_back({"id_perceiver", std::string(kPhotoMakerLicence) + ", for vectors of " + kInsightfaceLicence,
                            "the published model"});
    const auto adapter = find_adapter(model, {});
    if (!adapter) return licences;
    const auto facts = read_adapter_facts(adapter.value());
    const bool stated = facts.ok() && !facts.value().licence.empty();
    licences.push_back({"adapter", stated ? facts.value().licence : "not stated", stated ? "its metadata" : ""});
    return licences;
}

std::string licence_of_network(face::NetworkKind kind) {
    switch (kind) {
        case face::NetworkKind::ScrfdWithLandmarks:
        case face::NetworkKind::ScrfdWithoutLandmarks:
        case face::NetworkKind::ArcFace:
        case face::NetworkKind::Landmarks:
        case face::NetworkKind::GenderAge:
            return kInsightfaceLicence;
        case face::NetworkKind::Yunet2022:
        case face::NetworkKind::Yunet2023:
            return "MIT";
        case face::NetworkKind::SFace:
            return "Apache-2.0";
        case face::NetworkKind::Unknown:
            break;
    }
    return {};
}

}  // namespace mirror::engine
