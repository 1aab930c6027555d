#include "engine/identity/magic_mirror/adapter_config.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/core/utf8.h"
#include "engine/formats/json.h"
#include "engine/identity/magic_mirror/joined.h"
#include "engine/identity/magic_mirror/json_numbers.h"
#include "engine/identity/magic_mirror/switch_table.h"

namespace mirror::engine::magic_mirror {

namespace {

using formats::JsonValue;

// Above every published size, and far below where a product of a few of them leaves 64 bits.
constexpr std::int64_t kLargestSize = 1 << 20;
constexpr std::int64_t kLargestWidth = 1 << 20;  // Of products: heads times their size, ff_mult times the width.
constexpr std::int64_t kMostLayers = 1024;

struct SizeField {
    std::string_view name;
    std::int64_t* value;
};

struct Section {
    std::string_view name;
    std::vector<SizeField> fields;  // Sorted by name.
};

std::vector<Section> sections_of(AdapterConfig& c) {
    return {
        {"can", {{"hidden_dim", &c.can.hidden_dim}, {"id_vector_dim", &c.can.id_vector_dim}}},
        {"clip_vision",
         {{"hidden_size", &c.clip_vision.hidden_size},
          {"image_size", &c.clip_vision.image_size},
          {"intermediate_size", &c.clip_vision.intermediate_size},
          {"num_attention_heads", &c.clip_vision.num_attention_heads},
          {"num_hidden_layers", &c.clip_vision.num_hidden_layers},
          {"patch_size", &c.clip_vision.patch_size}}},
        {"dit",
         {{"attention_head_dim", &c.dit.attention_head_dim},
          {"in_channels", &c.dit.in_channels},
          {"max_text_seq_length", &c.dit.max_text_seq_length},
          {"num_attention_heads", &c.dit.num_attention_heads},
          {"num_layers", &c.dit.num_layers},
          {"patch_size", &c.dit.patch_size},
          {"text_embed_dim", &c.dit.text_embed_dim},
          {"time_embed_dim", &c.dit.time_embed_dim}}},
        {"perceiver_face",
         {{"depth", &c.perceiver_face.depth},
          {"ff_mult", &c.perceiver_face.ff_mult},
          {"head_dim", &c.perceiver_face.head_dim},
          {"heads", &c.perceiver_face.heads},
          {"tokens", &c.perceiver_face.tokens},
          {"width", &c.perceiver_face.width}}},
        {"perceiver_id",
         {{"depth", &c.perceiver_id.depth},
          {"ff_mult", &c.perceiver_id.ff_mult},
          {"head_dim", &c.perceiver_id.head_dim},
          {"heads", &c.perceiver_id.heads},
          {"id_dim", &c.perceiver_id.id_dim},
          {"ratio", &c.perceiver_id.ratio},
          {"tokens", &c.perceiver_id.tokens},
          {"width", &c.perceiver_id.width}}},
    };
}

Error malformed(std::initializer_list<std::string_view> parts) { return {ErrorCode::MalformedFile, joined(parts)}; }

Status read_section(const JsonValue& root, const Section& section) {
    const std::string_view name = section.name;
    const JsonValue* object = root.find(section.name);
    if (object == nullptr) return malformed({"config has no ", name});
    if (!object->is_object()) return malformed({"config.", name, " is not an object"});
    for (const SizeField& field : section.fields) {
        const std::string key = joined({name, ".", field.name});
        const JsonValue* value = object->find(field.name);
        if (value == nullptr) return malformed({"config has no ", key});
        const auto integer = value->as_integer();
        if (!integer || *integer < 1 || *integer > kLargestSize) {
            return malformed({"config: ", key, " must be an integer from 1 to ", std::to_string(kLargestSize)});
        }
        *field.value = *integer;
    }
    for (const auto& [key, value] : *object->as_object()) {
        const bool known = std::any_of(section.fields.begin(), section.fields.end(),
                                       [&wanted = key](const SizeField& f) { return f.name == wanted; });
        if (!known) return malformed({"config has the unknown key ", name, ".", escape_for_message(key)});
    }
    return success();
}

struct Limit {
    const char* key;
    std::int64_t value;
    std::int64_t most;
};

// Sizes that are possible alone and impossible together.
Status check_sizes(const AdapterConfig& c) {
    const Limit limits[] = {
        {"clip_vision.num_hidden_layers", c.clip_vision.num_hidden_layers, kMostLayers},
        {"clip_vision.image_size", c.clip_vision.patches_per_side(), kMostLayers},
        {"dit.num_layers", c.dit.num_layers, kMostLayers},
        {"dit.attention_head_dim", c.dit.width(), kLargestWidth},
        {"perceiver_face.depth", c.perceiver_face.depth, kMostLayers},
        {"perceiver_face.head_dim", c.perceiver_face.heads * c.perceiver_face.head_dim, kLargestWidth},
        {"perceiver_face.ff_mult", c.perceiver_face.ff_mult * c.perceiver_face.width, kLargestWidth},
        {"perceiver_id.depth", c.perceiver_id.depth, kMostLayers},
        {"perceiver_id.head_dim", c.perceiver_id.heads * c.perceiver_id.head_dim, kLargestWidth},
        {"perceiver_id.ff_mult", c.perceiver_id.ff_mult * c.perceiver_id.width, kLargestWidth},
        {"perceiver_id.ratio", c.perceiver_id.ratio * c.perceiver_id.id_dim, kLargestWidth},
        {"perceiver_id.tokens", c.perceiver_id.tokens * c.perceiver_id.width, kLargestWidth},
    };
    for (const Limit& limit : limits) {
        if (limit.value > limit.most) return malformed({"config: ", limit.key, " is impossibly large"});
    }
    if (c.clip_vision.hidden_size % c.clip_vision.num_attention_heads != 0) {
        return malformed({"config: clip_vision.num_attention_heads does not divide clip_vision.hidden_size"});
    }
    if (c.clip_vision.patch_size > c.clip_vision.image_size) {
        return malformed({"config: clip_vision.patch_size is larger than clip_vision.image_size"});
    }
    return success();
}

Status read_switches(const JsonValue& root, Switches& switches) {
    const JsonValue* object = root.find("switches");
    if (object == nullptr) return malformed({"config has no switches"});
    if (!object->is_object()) return malformed({"config.switches is not an object"});
    for (const auto& [name, value] : *object->as_object()) {
        const SwitchSpec* spec = find_switch(name);
        if (spec == nullptr) return malformed({"config has the unknown switch ", escape_for_message(name)});
        SwitchValue given;
        if (value.as_string() != nullptr) {
            given = *value.as_string();
        } else if (value.as_integer()) {
            given = *value.as_integer();
        } else if (value.as_number()) {
            given = *value.as_number();
        }
        if (!spec->set(*spec, switches, given)) {
            return malformed({"config: the switch ", name, " must be ", spec->allowed()});
        }
    }
    return check_switches(switches);
}

Result<AdapterConfig> parse_object(const JsonValue& root) {
    AdapterConfig config;
    const auto sections = sections_of(config);
    for (const Section& section : sections) {
        if (const Status read = read_section(root, section); !read.ok()) return read.error();
    }
    for (const auto& [key, value] : *root.as_object()) {
        const bool known =
            key == "switches" || std::any_of(sections.begin(), sections.end(),
                                             [&wanted = key](const Section& s) { return s.name == wanted; });
        if (!known) return malformed({"config has the unknown key ", escape_for_message(key)});
    }
    if (const Status sizes = check_sizes(config); !sizes.ok()) return sizes.error();
    if (const Status read = read_switches(root, config.switches); !read.ok()) return read.error();
    return config;
}

AdapterConfig demo_preset() {
    AdapterConfig config;
    config.dit = {8, 8, 32, 128, 256, 64, 16, 2};
    config.clip_vision = {192, 6, 6, 768, 112, 16};
    config.perceiver_id = {512, 256, 2, 2, 2, 8, 32, 4};
    config.perceiver_face = {8, 256, 4, 8, 32, 4};
    config.can = {128, 128};
    return config;
}

AdapterConfig tiny_preset() {
    AdapterConfig config;
    config.dit = {4, 4, 16, 32, 48, 16, 4, 2};
    config.clip_vision = {32, 3, 2, 64, 32, 8};
    config.perceiver_id = {16, 32, 2, 4, 2, 2, 16, 4};
    config.perceiver_face = {4, 32, 2, 2, 16, 4};
    config.can = {16, 32};
    return config;
}

std::string shortest(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

}  // namespace

bool AdapterConfig::is_adapted(std::int64_t layer) const {
    return layer >= 0 && layer < dit.num_layers && (switches.adapter_layers == AdapterLayers::All || layer % 2 == 0);
}

std::vector<std::int64_t> AdapterConfig::adapted_layers() const {
    std::vector<std::int64_t> layers;
    for (std::int64_t layer = 0; layer < dit.num_layers; ++layer) {
        if (is_adapted(layer)) layers.push_back(layer);
    }
    return layers;
}

Result<AdapterConfig> parse_adapter_config(const std::string& json) {
    Result<JsonValue> root = formats::parse_json(with_numbers_in_range(json), "config");
    if (!root.ok()) return root.error();
    if (!root.value().is_object()) return malformed({"config is not a JSON object"});
    return parse_object(root.value());
}

std::string to_json(const AdapterConfig& config) {
    AdapterConfig copy = config;
    std::string json = "{";
    for (const Section& section : sections_of(copy)) {
        json += joined({"\"", section.name, "\":{"});
        for (const SizeField& field : section.fields) {
            if (json.back() != '{') json += ",";
            json += joined({"\"", field.name, "\":", std::to_string(*field.value)});
        }
        json += "},";
    }
    json += "\"switches\":{";
    for (const SwitchSpec& spec : switch_table()) {  // Sorted by name.
        const std::string value = spec.json(spec, config.switches);
        if (value == spec.json(spec, Switches{})) continue;
        if (json.back() != '{') json += ",";
        json += joined({"\"", spec.name, "\":", value});
    }
    return json + "}}";
}

Result<std::pair<std::string, std::string>> parse_override(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        return Error{ErrorCode::InvalidRequest, joined({"--set wants NAME=VALUE, not ", escape_for_message(text)})};
    }
    return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

Status set_switch(Switches& switches, const std::string& name, const std::string& value) {
    const SwitchSpec* spec = find_switch(name);
    if (spec == nullptr)
        return Error{ErrorCode::InvalidRequest, joined({"--set names the unknown switch ", escape_for_message(name)})};
    const auto given = spec->from_text(value);
    if (!given || !spec->set(*spec, switches, *given)) {
        return Error{ErrorCode::InvalidRequest, joined({"--set: the switch ", name, " must be ", spec->allowed()})};
    }
    return success();
}

Status apply_overrides(Switches& switches, const SwitchOverrides& overrides) {
    for (const auto& [name, value] : overrides) {
        if (const Status set = set_switch(switches, name, value); !set.ok()) return set.error();
    }
    return check_switches(switches);
}

Status check_switches(const Switches& switches) {
    if (!switches.phi_face && switches.face_in_sa) {
        return malformed(
            {"the switch phi_face=off needs face_in_sa=off: face rows without a modulation stay out of "
             "self-attention"});
    }
    return success();
}

Result<AdapterConfig> adapter_preset(std::string_view name) {
    AdapterConfig config;  // The defaults are those of the paper's sizes.
    if (name == "paper") return config;
    if (name == "lite") {
        config.perceiver_face.depth = 4;
        return config;
    }
    if (name == "demo") return demo_preset();
    if (name == "tiny") return tiny_preset();
    return Error{ErrorCode::InvalidRequest,
                 joined({"there is no adapter preset ", escape_for_message(name), ": paper, lite, demo or tiny"})};
}

std::string arch_of(const AdapterConfig& config) {
    if (config.dit == AdapterConfig{}.dit) return "cogvideox-5b";
    if (config.dit == demo_preset().dit) return "cogvideox-demo";
    if (config.dit == tiny_preset().dit) return "cogvideox-tiny";
    return "cogvideox-custom";
}

std::string clip_layers_of(const Switches& switches) {
    return joined({"{\"id\":", std::to_string(switches.id_vit_layer),
                   ",\"face\":", std::to_string(switches.face_vit_layer), ",\"post_ln\":false}"});
}

std::string ref_crop_of(const Switches& switches) {
    switch (switches.ref_crop) {
        case ReferenceCrop::SquareFace: {
            std::string expand = shortest(switches.ref_crop_expand);
            if (expand.find_first_of(".e") == std::string::npos) expand += ".0";
            return joined({"square_face:", expand});
        }
        case ReferenceCrop::Whole:
            return "whole";
        case ReferenceCrop::Arcface112:
            return "arcface112";
    }
    return "";
}

}  // namespace mirror::engine::magic_mirror
