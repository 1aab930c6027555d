#include "engine/identity/magic_mirror/adapter_file.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/formats/json.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/joined.h"
#include "engine/identity/magic_mirror/perceiver_id.h"

namespace mirror::engine::magic_mirror {

namespace {

constexpr std::string_view kFormat = "magic-mirror-adapter";
constexpr int kNewestVersion = 1;
constexpr std::string_view kClipPrefix = "frozen.clip_vision.";
constexpr std::string_view kPerceiverPrefix = "frozen.perceiver_id.";

// Throws a sentence that begins with the file's name.
class Refusal {
public:
    explicit Refusal(std::string file) : file_(std::move(file)) {}

    [[noreturn]] void operator()(std::initializer_list<std::string_view> parts,
                                 ErrorCode code = ErrorCode::MalformedFile) const {
        throw EngineError(code, joined({file_, ": ", joined(parts)}));
    }

private:
    std::string file_;
};

bool is_version(const std::string& text) {
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    const bool digits =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits && error == std::errc{} && end == text.data() + text.size() && version >= 1 &&
           version <= kNewestVersion;
}

void check_fields(const formats::Metadata& metadata, const AdapterOpening& opening, const Refusal& refuse) {
    for (const char* field : {"format", "format_version", "arch", "config", "id_pack", "id_embedding_norm"}) {
        if (!metadata.contains(field)) refuse({"the metadata field ", field, " is missing"});
    }
    if (metadata.at("format") != kFormat) refuse({"the metadata field format is not ", kFormat});
    if (!is_version(metadata.at("format_version"))) {
        refuse({"the metadata field format_version is ", metadata.at("format_version"),
                " but this program reads version 1"});
    }
    if (!metadata.at("arch").starts_with("cogvideox"))
        refuse({"the metadata field arch is ", escape_for_message(metadata.at("arch")), ", not a CogVideoX"});
    if (metadata.at("id_embedding_norm") != "raw") refuse({"the metadata field id_embedding_norm is not raw"});
    const std::string& pack = metadata.at("id_pack");
    if (!opening.id_pack.empty() && opening.id_pack != pack && !opening.allow_id_pack_mismatch) {
        refuse({"the metadata field id_pack is ", escape_for_message(pack, 64), " but the recogniser in use is ",
                escape_for_message(opening.id_pack, 64)});
    }
}

bool clip_layers_agree(const std::string& text, const Switches& switches) {
    const auto parsed = formats::parse_json(text, "clip_layers");
    if (!parsed.ok()) return false;
    const auto* id = parsed.value().find("id");
    const auto* face = parsed.value().find("face");
    const auto* post_norm = parsed.value().find("post_ln");
    if (id == nullptr || face == nullptr || post_norm == nullptr || post_norm->as_bool() == nullptr) return false;
    return id->as_integer() == switches.id_vit_layer && face->as_integer() == switches.face_vit_layer &&
           !*post_norm->as_bool();
}

// Fields that say again what the configuration says.
void check_repeated(const formats::Metadata& metadata, const Switches& switches, const Refusal& refuse) {
    const auto layers = metadata.find("clip_layers");
    if (layers != metadata.end() && !clip_layers_agree(layers->second, switches)) {
        refuse({"the metadata field clip_layers disagrees with config: it must be ", clip_layers_of(switches)});
    }
    const auto trigger = metadata.find("trigger_word");
    if (trigger != metadata.end() && trigger->second != switches.trigger_word) {
        refuse({"the metadata field trigger_word is ", escape_for_message(trigger->second, 64), " but config says ",
                escape_for_message(switches.trigger_word, 64)});
    }
}

AdapterConfig read_config(const formats::Metadata& metadata, const AdapterOpening& opening, const Refusal& refuse) {
    Result<AdapterConfig> parsed = parse_adapter_config(metadata.at("config"));
    if (!parsed.ok()) refuse({parsed.error().detail});
    AdapterConfig config = std::move(parsed).value();
    check_repeated(metadata, config.switches, refuse);
    const Status overridden = apply_overrides(config.switches, opening.overrides);
    if (!overridden.ok()) throw EngineError(overridden.error());
    return config;
}

using Entries = std::vector<ShapeRecorder::Entry>;

template <typename Build>
Entries recorded(std::string_view prefix, Build build) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    build(WeightScope(recorder, {}));
    Entries entries = recorder->entries();
    for (auto& entry : entries) entry.name.insert(0, prefix);
    return entries;
}

Entries clip_entries(const AdapterConfig& config) {
    return recorded(kClipPrefix, [&](const WeightScope& scope) { ClipVision tower(scope, config.clip_vision); });
}

Entries perceiver_entries(const AdapterConfig& config) {
    const PerceiverIdConfig sizes{config.perceiver_id, config.clip_vision.hidden_size};
    return recorded(kPerceiverPrefix, [&](const WeightScope& scope) { PerceiverId perceiver(scope, sizes); });
}

bool holds_any(const std::vector<std::string>& names, std::string_view prefix) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(prefix); });
}

bool is_weight(formats::DType dtype) {
    return dtype == formats::DType::F32 || dtype == formats::DType::F16 || dtype == formats::DType::BF16;
}

// Unknown names first, then each tensor's shape and dtype, then what is missing.
void check_tensors(const WeightStore& store, const Entries& wanted, const Refusal& refuse) {
    std::map<std::string_view, const std::vector<std::int64_t>*> shapes;
    for (const auto& entry : wanted) shapes[entry.name] = &entry.shape;
    const auto names = store.names();
    for (const std::string& name : names) {
        if (!name.starts_with("x.") && !shapes.contains(name))
            refuse({"the tensor ", escape_for_message(name), " is unknown"});
    }
    for (const std::string& name : names) {
        const auto shape = shapes.find(name);
        if (shape == shapes.end()) continue;
        const formats::TensorEntry& entry = *store.entry(name);
        if (entry.shape != *shape->second) {
            refuse({"the tensor ", escape_for_message(name), " has the shape ", formats::shape_text(entry.shape),
                    " but must have ", formats::shape_text(*shape->second)},
                   ErrorCode::ShapeMismatch);
        }
        if (!is_weight(entry.dtype)) {
            refuse({"the tensor ", escape_for_message(name), " has the dtype ", formats::to_text(entry.dtype),
                    " but must have F32, F16 or BF16"});
        }
    }
    for (const auto& entry : wanted) {
        if (!store.has(entry.name)) refuse({"the tensor ", entry.name, " is missing"}, ErrorCode::MissingTensor);
    }
}

void append(Entries& entries, Entries more) { entries.insert(entries.end(), more.begin(), more.end()); }

struct SizeCheck {
    const char* key;
    std::int64_t adapter;
    std::int64_t base;
};

}  // namespace

DitShape dit_shape_of(const cogvideox::TransformerConfig& base) {
    return {base.num_layers,     base.num_attention_heads, base.attention_head_dim, base.time_embed_dim,
            base.text_embed_dim, base.max_text_seq_length, base.in_channels,        base.patch_size};
}

void check_base_model(const AdapterConfig& config, const cogvideox::TransformerConfig& base) {
    const DitShape made_for = config.dit;
    const DitShape is = dit_shape_of(base);
    const SizeCheck checks[] = {
        {"dit.num_layers", made_for.num_layers, is.num_layers},
        {"dit.num_attention_heads", made_for.num_attention_heads, is.num_attention_heads},
        {"dit.attention_head_dim", made_for.attention_head_dim, is.attention_head_dim},
        {"dit.time_embed_dim", made_for.time_embed_dim, is.time_embed_dim},
        {"dit.text_embed_dim", made_for.text_embed_dim, is.text_embed_dim},
        {"dit.max_text_seq_length", made_for.max_text_seq_length, is.max_text_seq_length},
        {"dit.in_channels", made_for.in_channels, is.in_channels},
        {"dit.patch_size", made_for.patch_size, is.patch_size},
    };
    for (const SizeCheck& check : checks) {
        if (check.adapter == check.base) continue;
        throw EngineError(ErrorCode::MalformedFile,
                          joined({"the adapter was made for a base model with ", check.key, " ",
                                  std::to_string(check.adapter), ", but this one has ", std::to_string(check.base)}));
    }
    const auto refuse = [](std::string_view field, std::string_view why) {
        throw EngineError(ErrorCode::InvalidRequest,
                          joined({"Magic Mirror cannot run on this base model: ", field, " ", why}));
    };
    if (base.patch_size_t) refuse("patch_size_t", "must be null");
    if (!base.use_rotary_positional_embeddings) refuse("use_rotary_positional_embeddings", "must be true");
    if (base.ofs_embed_dim) refuse("ofs_embed_dim", "must be null");
    if (base.is_image_to_video()) refuse("in_channels", "must be those of a model from text alone");
}

AdapterFile AdapterFile::open(const std::filesystem::path& file, const AdapterOpening& opening) {
    WeightStoreOptions options;
    options.same_metadata = true;
    options.finite = opening.finite;
    options.stop = opening.stop;
    AdapterFile adapter;
    adapter.store_ = WeightStore::open(file, "adapter", options);
    const std::string file_name = path_for_message(adapter.file().filename());
    const Refusal refuse(file_name);
    check_fields(adapter.metadata(), opening, refuse);
    adapter.config_ = read_config(adapter.metadata(), opening, refuse);
    if (opening.base) check_base_model(adapter.config_, *opening.base);

    const auto names = adapter.store_->names();
    adapter.has_clip_vision_ = holds_any(names, kClipPrefix);
    adapter.has_perceiver_id_ = holds_any(names, kPerceiverPrefix);
    Entries wanted = adapter_tensors(adapter.config_);
    if (adapter.has_clip_vision_) append(wanted, clip_entries(adapter.config_));
    if (adapter.has_perceiver_id_) append(wanted, perceiver_entries(adapter.config_));
    check_tensors(*adapter.store_, wanted, refuse);

    const auto base = adapter.metadata().find("base_model_sha256");
    if (base != adapter.metadata().end() && !opening.base_fingerprint.empty() &&
        base->second != opening.base_fingerprint) {
        adapter.warnings_.push_back(
            joined({file_name, ": base_model_sha256 is not that of this base model; the adapter was made on another"}));
    }
    return adapter;
}

}  // namespace mirror::engine::magic_mirror
