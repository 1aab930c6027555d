#include "engine/session/import_identity.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/core/durable_replace.h"
#include "engine/core/temporary_folder.h"
#include "engine/core/utf8.h"
#include "engine/formats/torch_archive.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/session/checkpoint_preset.h"
#include "engine/session/error_boundary.h"
#include "engine/weights/mapped_file.h"
#include "engine/weights/tensor_file.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine {

namespace {

namespace mm = magic_mirror;

// Not in the file, and the same in every published CLIP tower and in PhotoMaker V2.
constexpr std::int64_t kClipHeadSize = 64;
constexpr std::int64_t kPerceiverHeadSize = 128;
constexpr std::string_view kTower = "vision_model.";
constexpr std::string_view kPerceiver = "qformer_perceiver.";
constexpr std::string_view kResampler = "perceiver_resampler.";

using Tensors = std::map<std::string, formats::ArchivedTensor>;  // By our names.

struct Parts {
    Tensors tower;
    Tensors perceiver;
};

struct Renaming {
    std::string_view theirs;
    std::string_view ours;
};
constexpr std::array kPerceiverNames{Renaming{"token_proj.0.", "token_proj.fc1."},
                                     Renaming{"token_proj.2.", "token_proj.fc2."},
                                     Renaming{"token_norm.", "token_norm."}};
constexpr std::array kResamplerNames{Renaming{"proj_in.", "proj_in."}, Renaming{"proj_out.", "proj_out."},
                                     Renaming{"norm_out.", "norm_out."}};
constexpr std::array kLayerNames{Renaming{"0.norm1.", "attn.norm_kv."}, Renaming{"0.norm2.", "attn.norm_q."},
                                 Renaming{"0.to_q.", "attn.to_q."},     Renaming{"0.to_kv.", "attn.to_kv."},
                                 Renaming{"0.to_out.", "attn.to_out."}, Renaming{"1.0.", "ff.norm."},
                                 Renaming{"1.1.", "ff.fc1."},           Renaming{"1.3.", "ff.fc2."}};

template <std::size_t N>
std::optional<std::string> renamed(std::string_view name, const std::array<Renaming, N>& table) {
    for (const Renaming& row : table)
        if (name.starts_with(row.theirs)) return std::string(row.ours).append(name.substr(row.theirs.size()));
    return std::nullopt;
}

// The name that PerceiverId gives to a tensor of PhotoMaker's QFormerPerceiver.
std::optional<std::string> perceiver_name(std::string_view name) {
    if (!name.starts_with(kResampler)) return renamed(name, kPerceiverNames);
    name.remove_prefix(kResampler.size());
    constexpr std::string_view kLayers = "layers.";
    if (!name.starts_with(kLayers)) return renamed(name, kResamplerNames);
    const std::size_t dot = name.find('.', kLayers.size());
    if (dot == std::string_view::npos) return std::nullopt;
    const auto inner = renamed(name.substr(dot + 1), kLayerNames);
    if (!inner) return std::nullopt;
    return std::string(name.substr(0, dot + 1)) + *inner;
}

template <std::size_t N>
std::optional<std::string> renamed_back(std::string_view name, const std::array<Renaming, N>& table) {
    for (const Renaming& row : table)
        if (name.starts_with(row.ours)) return std::string(row.theirs).append(name.substr(row.ours.size()));
    return std::nullopt;
}

// What PhotoMaker's file calls a tensor of ours: sentences are about that file.
std::string photomaker_tower_name(const std::string& ours) { return std::string(kTower) + ours; }

std::string photomaker_perceiver_name(const std::string& ours) {
    const std::string prefix(kPerceiver);
    if (const auto name = renamed_back(ours, kPerceiverNames)) return prefix + *name;
    if (const auto name = renamed_back(ours, kResamplerNames)) return prefix + std::string(kResampler) + *name;
    const std::size_t dot = ours.find('.', std::string_view("layers.").size());
    if (!ours.starts_with("layers.") || dot == std::string::npos) return prefix + ours;
    const auto inner = renamed_back(std::string_view(ours).substr(dot + 1), kLayerNames);
    return prefix + std::string(kResampler) + ours.substr(0, dot + 1) + inner.value_or(ours.substr(dot + 1));
}

using PhotoMakerName = std::string (*)(const std::string& ours);

// What works on SDXL's features, and buffers that older files carry.
bool is_passed_over(const formats::PickledTensor& tensor) {
    if (tensor.dictionary == "lora_weights" || tensor.dictionary.starts_with("lora_weights/")) return true;
    const std::string& name = tensor.name;
    return tensor.dictionary == "id_encoder" &&
           (name.starts_with("fuse_module.") || name.starts_with("visual_projection") ||
            name == "vision_model.embeddings.position_ids");
}

[[noreturn]] void refuse(ErrorCode code, const std::filesystem::path& file, const std::string& tensor,
                         const std::string& what) {
    throw EngineError(code,
                      "the tensor '" + escape_for_message(tensor) + "' in '" + escape_for_message(file) + "' " + what);
}

Parts sort_tensors(const std::filesystem::path& file, std::vector<formats::ArchivedTensor>&& archived) {
    Parts parts;
    for (formats::ArchivedTensor& each : archived) {
        if (is_passed_over(each.tensor)) continue;
        const std::string name = each.tensor.name;
        std::optional<std::string> ours;
        Tensors* part = nullptr;
        if (each.tensor.dictionary == "id_encoder" && name.starts_with(kTower)) {
            ours = name.substr(kTower.size());
            part = &parts.tower;
        } else if (each.tensor.dictionary == "id_encoder" && name.starts_with(kPerceiver)) {
            ours = perceiver_name(std::string_view(name).substr(kPerceiver.size()));
            part = &parts.perceiver;
        }
        if (!ours) refuse(ErrorCode::MalformedFile, file, name, "is none of PhotoMaker V2's id_encoder");
        part->emplace(*ours, std::move(each));
    }
    return parts;
}

// Sizes, read off the tensors that they belong to.
class ShapeReader {
public:
    ShapeReader(const std::filesystem::path& file, const Tensors& tensors, PhotoMakerName name)
        : file_(file), tensors_(tensors), theirs_(name) {}

    std::int64_t size(const std::string& name, std::size_t rank, std::size_t dimension) const {
        const auto found = tensors_.find(name);
        if (found == tensors_.end()) refuse(ErrorCode::MissingTensor, file_, theirs_(name), "is missing");
        const auto& shape = found->second.tensor.shape;
        if (shape.size() != rank || shape[dimension] < 1 || shape[dimension] > (1 << 20))
            refuse(ErrorCode::ShapeMismatch, file_, theirs_(name), "has the shape " + formats::shape_text(shape));
        return shape[dimension];
    }

    // How many parts of one size a tensor's rows hold.
    std::int64_t multiple(const std::string& name, std::int64_t of) const {
        const std::int64_t rows = size(name, 2, 0);
        if (rows % of != 0)
            refuse(ErrorCode::ShapeMismatch, file_, theirs_(name),
                   "has " + std::to_string(rows) + " rows, no multiple of " + std::to_string(of));
        return rows / of;
    }

    std::int64_t layers(const std::string& before, const std::string& after) const {
        std::int64_t count = 0;
        while (tensors_.contains(before + std::to_string(count) + after)) ++count;
        return count;
    }

private:
    const std::filesystem::path& file_;
    const Tensors& tensors_;
    PhotoMakerName theirs_;
};

mm::ClipVisionShape tower_shape(const std::filesystem::path& file, const Tensors& tensors) {
    const ShapeReader reader(file, tensors, photomaker_tower_name);
    mm::ClipVisionShape shape;
    shape.hidden_size = reader.size("embeddings.class_embedding", 1, 0);
    shape.num_hidden_layers = reader.layers("encoder.layers.", ".self_attn.q_proj.weight");
    shape.num_attention_heads = reader.multiple("encoder.layers.0.self_attn.q_proj.weight", kClipHeadSize);
    shape.intermediate_size = reader.size("encoder.layers.0.mlp.fc1.weight", 2, 0);
    shape.patch_size = reader.size("embeddings.patch_embedding.weight", 4, 2);
    const std::int64_t patches = reader.size("embeddings.position_embedding.weight", 2, 0) - 1;
    std::int64_t side = 1;
    while (side * side < patches) ++side;
    if (side * side != patches)
        refuse(ErrorCode::ShapeMismatch, file, "vision_model.embeddings.position_embedding.weight",
               "has " + std::to_string(patches) + " patches, no square");
    shape.image_size = side * shape.patch_size;
    return shape;
}

mm::PerceiverIdConfig perceiver_config(const std::filesystem::path& file, const Tensors& tensors) {
    const ShapeReader reader(file, tensors, photomaker_perceiver_name);
    mm::PerceiverIdConfig config;
    mm::PerceiverIdShape& shape = config.shape;
    shape.id_dim = reader.size("token_proj.fc1.weight", 2, 1);
    shape.width = reader.size("token_norm.weight", 1, 0);
    shape.tokens = reader.multiple("token_proj.fc2.weight", shape.width);
    shape.ratio = reader.multiple("token_proj.fc1.weight", shape.id_dim);
    shape.depth = reader.layers("layers.", ".attn.to_q.weight");
    shape.head_dim = kPerceiverHeadSize;
    shape.heads = reader.multiple("layers.0.attn.to_q.weight", kPerceiverHeadSize);
    shape.ff_mult = reader.multiple("layers.0.ff.fc1.weight", shape.width);
    config.clip_hidden_size = reader.size("proj_in.weight", 2, 1);
    return config;
}

// Exactly the tensors that the model asks for, in its shapes.
template <typename Model, typename Config>
void check_tensors(const std::filesystem::path& file, const Tensors& tensors, const Config& config,
                   PhotoMakerName theirs) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    const Model model(WeightScope(recorder, {at::kFloat, at::kMeta}), config);
    std::map<std::string, std::vector<std::int64_t>> wanted;
    for (const auto& entry : recorder->entries()) wanted.emplace(entry.name, entry.shape);
    for (const auto& [name, each] : tensors) {
        const formats::PickledTensor& tensor = each.tensor;
        const auto found = wanted.find(name);
        if (found == wanted.end()) refuse(ErrorCode::MalformedFile, file, tensor.name, "is none of PhotoMaker V2's");
        if (found->second != tensor.shape)
            refuse(
                ErrorCode::ShapeMismatch, file, tensor.name,
                "has the shape " + formats::shape_text(tensor.shape) + ", not " + formats::shape_text(found->second));
        const bool real = tensor.dtype == formats::DType::F32 || tensor.dtype == formats::DType::F16 ||
                          tensor.dtype == formats::DType::BF16;
        if (!real) refuse(ErrorCode::MalformedFile, file, tensor.name, "is neither F32, F16 nor BF16");
    }
    for (const auto& [name, shape] : wanted)
        if (!tensors.contains(name)) refuse(ErrorCode::MissingTensor, file, theirs(name), "is missing");
}

// The storage as it is mapped, or a copy where it begins at an odd address.
at::Tensor tensor_of(const MappedFile& file, const formats::ArchivedTensor& archived) {
    const formats::PickledTensor& tensor = archived.tensor;
    const auto options = at::TensorOptions().dtype(scalar_type(tensor.dtype));
    void* start = const_cast<std::byte*>(file.bytes().data() + archived.begin);
    at::Tensor storage;
    if (reinterpret_cast<std::uintptr_t>(start) % formats::bytes_of(tensor.dtype) == 0) {
        storage = at::from_blob(start, {tensor.storage_elements}, options);
    } else {
        storage = at::empty({tensor.storage_elements}, options);
        std::memcpy(storage.mutable_data_ptr(), start, archived.size);
    }
    return storage.as_strided(tensor.shape, tensor.stride, tensor.storage_offset);
}

TensorMap read_part(const MappedFile& file, const Tensors& tensors, const std::stop_token& stop) {
    TensorMap result;
    for (const auto& [name, archived] : tensors) {
        if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
        at::Tensor tensor = tensor_of(file, archived);
        if (!at::isfinite(tensor).all().item<bool>())
            refuse(ErrorCode::MalformedFile, file.path(), archived.tensor.name, "holds NaN or infinity");
        result.emplace(name, std::move(tensor));
    }
    return result;
}

const char* dtype_name(const TensorMap& tensors) {
    const at::ScalarType type = tensors.begin()->second.scalar_type();
    return type == at::kBFloat16 ? "bfloat16" : type == at::kHalf ? "float16" : "float32";
}

PartReport write_part(const TemporaryFolder& folder, const std::string& part, const TensorMap& tensors,
                      const std::string& config) {
    save_tensors(folder.path() / "model.safetensors", tensors, {{"format", "pt"}});
    value_or_throw(durable_replace(folder.path() / "config.json", config));
    PartReport report{part, tensors.size(), 0, 0, {}};
    for (const auto& [name, tensor] : tensors) {
        report.parameters += static_cast<std::uint64_t>(tensor.numel());
        report.bytes += tensor.nbytes();
    }
    return report;
}

bool is_there(const std::filesystem::path& path) {
    std::error_code error;
    return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

EngineError already_there(const std::filesystem::path& path) {
    return {ErrorCode::WriteFailed, "'" + escape_for_message(path) + "' is already there"};
}

bool is_same_part(const std::filesystem::path& one, const std::filesystem::path& other) {
    for (const char* name : {"model.safetensors", "config.json"}) {
        const auto a = MappedFile::open(one / name), b = MappedFile::open(other / name);
        if (!a || !b || !std::ranges::equal(a.value()->bytes(), b.value()->bytes())) return false;
    }
    return true;
}

std::vector<PartReport> import_parts(const std::filesystem::path& file, const std::filesystem::path& folder,
                                     const std::stop_token& stop) {
    const std::array targets{folder / "image_encoder", folder / "id_perceiver"};
    const bool has_tower = is_there(targets[0]);
    if (is_there(targets[1])) throw already_there(has_tower ? targets[0] : targets[1]);
    const auto mapped = value_or_throw(MappedFile::open(file));
    auto archived =
        value_or_throw(formats::parse_torch_archive(mapped->bytes(), formats::Checksums::Verify, file.native()));
    const Parts parts = sort_tensors(file, std::move(archived));
    const mm::ClipVisionShape tower = tower_shape(file, parts.tower);
    const mm::PerceiverIdConfig perceiver = perceiver_config(file, parts.perceiver);
    check_tensors<mm::ClipVision>(file, parts.tower, tower, photomaker_tower_name);
    check_tensors<mm::PerceiverId>(file, parts.perceiver, perceiver, photomaker_perceiver_name);
    const TensorMap tower_tensors = read_part(*mapped, parts.tower, stop);
    const TensorMap perceiver_tensors = read_part(*mapped, parts.perceiver, stop);
    // A call that was killed between the two may have left the tower.
    const std::filesystem::path again = folder / "image_encoder.again";
    auto tower_folder = value_or_throw(TemporaryFolder::create_for(has_tower ? again : targets[0]));
    auto perceiver_folder = value_or_throw(TemporaryFolder::create_for(targets[1]));
    std::vector<PartReport> reports;
    reports.push_back(write_part(tower_folder, "image_encoder", tower_tensors,
                                 image_encoder_config_json(tower, dtype_name(tower_tensors))));
    reports.push_back(write_part(perceiver_folder, "id_perceiver", perceiver_tensors,
                                 id_perceiver_config_json(perceiver.shape, perceiver.clip_hidden_size)));
    if (has_tower && !is_same_part(tower_folder.path(), targets[0])) throw already_there(targets[0]);
    if (!has_tower) value_or_throw(tower_folder.publish({}));
    if (const Status status = perceiver_folder.publish({}); !status) {
        std::error_code error;
        if (!has_tower) std::filesystem::remove_all(targets[0], error);
        throw EngineError(status.error());
    }
    return reports;
}

}  // namespace

Result<std::vector<PartReport>> import_photomaker(const std::filesystem::path& file,
                                                  const std::filesystem::path& folder, std::stop_token stop) {
    return guarded_value<std::vector<PartReport>>([&] { return import_parts(file, folder, stop); });
}

}  // namespace mirror::engine
