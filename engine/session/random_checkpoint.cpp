#include "engine/session/random_checkpoint.h"

#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/core/durable_replace.h"
#include "engine/core/temporary_folder.h"
#include "engine/core/utf8.h"
#include "engine/face/recognizer_network.h"
#include "engine/formats/sha256.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/session/checkpoint_preset.h"
#include "engine/session/random_tensor_file.h"
#include "engine/text/t5_encoder.h"
#include "engine/vae/cogvideox_vae.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/mapped_file.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine {
namespace {

namespace fs = std::filesystem;
using formats::DType;

constexpr std::uint64_t kShardBytes = 5'000'000'000;      // As the published conversion cuts them.
constexpr std::uint64_t kAdapterShardBytes = 4ULL << 30;  // The adapter format's own limit.
constexpr std::uint64_t kSpareBytes = 64ULL << 20;        // Small files, and room that the disk keeps.
constexpr const char* kDiffusersStem = "diffusion_pytorch_model";
constexpr const char* kTransformersStem = "model";
constexpr const char* kModelIndex = "model_index.json";  // Makes the folder a model, and comes last.

void write_text(const fs::path& file, const std::string& text) {
    value_or_throw(make_folders(file.parent_path()));
    value_or_throw(durable_replace(file, text));
}

// The tensors that a model asks for when it is constructed: no memory, no list that could be wrong.
template <typename Model, typename Config>
std::vector<ShapeRecorder::Entry> tensors_of(const Config& config) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    const Model model(WeightScope(recorder, {}), config);
    return recorder->entries();
}

// Every component but the adapter, from the config files in the folder.
std::vector<RandomComponent> base_components(const fs::path& folder, DType dtype) {
    const auto config = [&](const char* part) { return ConfigReader::open(folder / part / "config.json"); };
    const formats::Metadata metadata = {{"format", "pt"}};
    std::vector<RandomComponent> components;
    // A recogniser is published in float32, and its embeddings are compared closely.
    components.push_back({"recognizer", kTransformersStem, DType::F32,
                          tensors_of<RecognizerNetwork>(read_recognizer_config(folder / "recognizer" / "config.json")),
                          metadata});
    components.push_back(
        {"image_encoder", kTransformersStem, dtype,
         tensors_of<magic_mirror::ClipVision>(magic_mirror::read_clip_vision_config(config("image_encoder"))),
         metadata});
    components.push_back(
        {"id_perceiver", kTransformersStem, dtype,
         tensors_of<magic_mirror::PerceiverId>(magic_mirror::read_perceiver_id_config(config("id_perceiver"))),
         metadata});
    components.push_back(
        {"vae", kDiffusersStem, dtype, tensors_of<CogVideoXVae>(VaeConfig::read(config("vae"))), metadata});
    components.push_back({"text_encoder", kTransformersStem, dtype,
                          tensors_of<T5Encoder>(T5Config::read(config("text_encoder"))), metadata});
    components.push_back({"transformer", kDiffusersStem, dtype,
                          tensors_of<cogvideox::Transformer>(cogvideox::read_transformer_config(config("transformer"))),
                          metadata});
    return components;
}

std::string file_sha256(const fs::path& file) {
    const auto mapped = value_or_throw(MappedFile::open(file));
    formats::Sha256 hash;
    hash.update(mapped->bytes());
    return hash.hex_digest();
}

// What the adapter says about the parts it belongs to, once these are on the disk.
formats::Metadata adapter_metadata_for(const CheckpointPreset& preset, const fs::path& folder) {
    magic_mirror::AdapterOrigin origin;
    origin.id_pack = read_recognizer_config(folder / "recognizer" / "config.json").id_pack;
    origin.id_pack_sha256 = file_sha256(folder / "recognizer" / "model.safetensors");
    origin.base_model_sha256 = WeightStore::open(folder / "transformer", kDiffusersStem)->fingerprint();
    origin.clip_sha256 = WeightStore::open(folder / "image_encoder", kTransformersStem)->fingerprint();
    origin.perceiver_id_sha256 = WeightStore::open(folder / "id_perceiver", kTransformersStem)->fingerprint();
    origin.dtype = to_text(preset.precision);
    if (preset.name == "tiny" || preset.name == "demo") origin.text_encoder = "t5-" + preset.name + "-encoder";
    origin.further["dataset_card"] = "Random weights; nothing was trained.";
    return magic_mirror::adapter_metadata(preset.adapter, origin);
}

void check_free_space(const fs::path& folder, std::uint64_t needed) {
    std::error_code error;
    const auto space = fs::space(folder, error);
    if (error || space.available >= needed) return;
    const auto megabytes = [](std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; };
    throw EngineError(ErrorCode::WriteFailed, path_for_message(folder) + " needs " + megabytes(needed) +
                                                  " of disk, and there are " + megabytes(space.available) + ".");
}

void write_checkpoint(const CheckpointPreset& preset, std::uint64_t seed, const fs::path& folder,
                      const CheckpointWatch& watch) {
    for (const auto& [file, text] : preset.files) write_text(folder / file, text);
    write_text(folder / "tokenizer" / "spiece.model", preset.spiece_model());

    const DType dtype = preset.precision == Precision::Bf16 ? DType::BF16 : DType::F32;
    const auto components = base_components(folder, dtype);
    RandomComponent adapter{"adapter", "adapter", dtype, magic_mirror::adapter_tensors(preset.adapter), {}};
    std::uint64_t total = adapter.bytes();
    for (const auto& component : components) total += component.bytes();
    check_free_space(folder, total + kSpareBytes);

    ByteMeter meter(watch, total);
    for (const auto& component : components) write_random_component(folder, component, seed, kShardBytes, meter);
    adapter.metadata = adapter_metadata_for(preset, folder);
    std::error_code error;
    fs::create_directory(folder / adapter.folder, error);
    write_random_component(folder, adapter, seed, kAdapterShardBytes, meter);
    write_text(folder / kModelIndex, preset.model_index(seed));
}

}  // namespace

std::vector<std::string> checkpoint_presets() {
    std::vector<std::string> names;
    for (const auto& text : preset_texts()) names.emplace_back(text.name);
    return names;
}

Status init_checkpoint(std::string_view preset, std::uint64_t seed, const fs::path& folder,
                       const CheckpointWatch& watch) {
    try {
        const CheckpointPreset found = CheckpointPreset::find(preset);
        TemporaryFolder unfinished = value_or_throw(TemporaryFolder::create_for(folder));
        write_checkpoint(found, seed, unfinished.path(), watch);
        return unfinished.publish(kModelIndex);
    } catch (const EngineError& error) {
        return error.error();
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, "Cannot make " + path_for_message(folder) + ": the memory is not enough."};
    } catch (const std::exception& error) {
        // Something that ATen refuses: its text may have many lines.
        return Error{ErrorCode::Internal,
                     "Cannot make " + path_for_message(folder) + ": " + escape_for_message(error.what())};
    }
}

}  // namespace mirror::engine
