#include "engine/session/memory_estimate.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/formats/safetensors.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/session/activation_sizes.h"

namespace mirror::engine {

namespace {

constexpr std::uint64_t kProgramBytes = 190u << 20;  // The program and libtorch after their first operators.
constexpr std::uint64_t kFaceModels = 85u << 20;     // dlib's landmark model, held from the first photograph on.
constexpr std::uint64_t kFaceSearch = 46u << 20;     // Of a photograph of ordinary size.
constexpr std::uint64_t kChartCells = 12;            // Of the picture that tells colours from latents, a side.

// The number behind `prefix`, where a repeated layer's name has it; -1 for others.
std::int64_t layer_of(std::string_view name, std::string_view prefix) {
    if (prefix.empty() || !name.starts_with(prefix)) return -1;
    std::int64_t index = 0;
    std::size_t digits = 0;
    for (const char c : name.substr(prefix.size())) {
        if (c < '0' || c > '9' || ++digits > 6) break;
        index = index * 10 + (c - '0');
    }
    return digits == 0 ? -1 : index;
}

// What a model takes out of a store.
struct Wanted {
    std::string_view layers;                 // "transformer_blocks."; empty: no layer is repeated.
    std::vector<std::string_view> prefixes;  // Empty: everything.
};

StageMemory weights_of(const WeightStore& store, const Placement& placement, const Wanted& wanted = {}) {
    StageMemory memory;
    std::map<std::int64_t, std::uint64_t> layers;
    for (const std::string& name : store.names()) {
        const bool is_wanted =
            wanted.prefixes.empty() || std::any_of(wanted.prefixes.begin(), wanted.prefixes.end(),
                                                   [&](std::string_view prefix) { return name.starts_with(prefix); });
        if (!is_wanted) continue;
        const formats::TensorEntry& entry = *store.entry(name);
        const std::uint64_t bytes = formats::element_count(entry.shape).value_or(0) * c10::elementSize(placement.dtype);
        const bool is_cast = scalar_type(entry.dtype) != placement.dtype || !placement.device.is_cpu();
        if (is_cast) memory.cast = std::max<std::uint64_t>(memory.cast, entry.bytes());
        const std::int64_t layer = layer_of(name, wanted.layers);
        if (layer >= 0)
            layers[layer] += bytes;
        else
            memory.weights += bytes;
    }
    for (const auto& [layer, bytes] : layers) {
        memory.layers += bytes;
        memory.largest_layer = std::max(memory.largest_layer, bytes);
    }
    return memory;
}

StageMemory part_memory(const ModelFolder& folder, const std::string& part, const Placement& placement,
                        const Wanted& wanted = {}) {
    return folder.has(part) ? weights_of(*folder.store(part), placement, wanted) : StageMemory{};
}

StageMemory larger(const StageMemory& a, const StageMemory& b) {
    return a.peak(LayersHeld::All) < b.peak(LayersHeld::All) ? b : a;
}

DenoiserShape denoiser_shape(const GenerationRequest& request, const cogvideox::TransformerConfig& config) {
    const auto shape = cogvideox::latent_shape(request.video.frames, request.video.height, request.video.width, config);
    const std::int64_t patch = config.patch_size * config.patch_size * config.patch_size_t.value_or(1);
    DenoiserShape denoiser;
    denoiser.rows = request.sampling.guidance > 1 ? 2 : 1;
    denoiser.text_tokens = static_cast<std::uint64_t>(config.max_text_seq_length);
    denoiser.tokens = static_cast<std::uint64_t>(shape[1] * shape[3] * shape[4] / patch) + denoiser.text_tokens;
    denoiser.width = static_cast<std::uint64_t>(config.inner_dim());
    return denoiser;
}

StageMemory estimate_text_encoder(const ModelFolder& folder) {
    StageMemory memory = part_memory(folder, "text_encoder", folder.placement(), {"encoder.block.", {}});
    const auto tokens = static_cast<std::uint64_t>(folder.transformer_config().max_text_seq_length);
    memory.activations = t5_activations(folder.text_encoder_config(), tokens, folder.placement());
    return memory;
}

StageMemory estimate_features(const ModelFolder& folder, const magic_mirror::AdapterConfig& config,
                              const WeightStore& adapter, std::size_t photos) {
    const Placement& placement = folder.placement();
    const Placement exact{at::kFloat, placement.device, LayersHeld::All};
    StageMemory tower = weights_of(adapter, placement, {{}, {"frozen.clip_vision."}});
    if (tower.weights == 0) tower = part_memory(folder, "image_encoder", placement);
    tower.activations = clip_activations(config.clip_vision, photos, placement);
    StageMemory perceiver = weights_of(adapter, placement, {{}, {"frozen.perceiver_id."}});
    if (perceiver.weights == 0) perceiver = part_memory(folder, "id_perceiver", placement);
    const StageMemory face = weights_of(adapter, placement, {{}, {"perceiver_face."}});
    return larger(larger(tower, perceiver), larger(face, part_memory(folder, "recognizer", exact)));
}

void add_adapter(StageMemory& denoising, const magic_mirror::AdapterConfig& config, const WeightStore& adapter,
                 const DenoiserShape& shape, const GenerationRequest& request, const Placement& placement) {
    const StageMemory weights = weights_of(adapter, placement, {{}, {"can.", "blocks."}});
    denoising.weights += weights.weights;
    denoising.cast = std::max(denoising.cast, weights.cast);
    const std::uint64_t photos =
        config.switches.multi_ref_face == magic_mirror::MultiRefFace::Mean ? 1 : request.references.size();
    const std::uint64_t face_rows = photos * static_cast<std::uint64_t>(config.perceiver_face.tokens);
    DenoiserShape adapted = shape;
    const bool apart = config.switches.cfg_uncond_face == magic_mirror::UnconditionalFace::Drop;
    if (apart) adapted.rows = 1;
    const std::uint64_t with = adapted_activations(adapted, face_rows, placement);
    const bool always = request.identity.first_step <= 1 && !request.identity.last_step.has_value() &&
                        config.switches.start_merge_step == 0 && request.identity.value > 0;
    denoising.activations = always ? with : std::max(denoising.activations, with);
}

// Whether frames are larger than the decoder's standard tiles, and those large enough to overlap.
bool has_tiles(const VaeConfig& config, const VideoSpec& video) {
    const Tiling tiling = Tiling::even(config);
    const std::int64_t least = 2 * config.spatial_compression();
    return std::min(tiling.tile_height, tiling.tile_width) >= least &&
           (video.height > tiling.tile_height || video.width > tiling.tile_width);
}

}  // namespace

std::uint64_t StageMemory::held(LayersHeld layers_held) const {
    if (layers_held == LayersHeld::All) return weights + layers;
    return weights + std::min(layers, (layers_held == LayersHeld::Two ? 2 : 1) * largest_layer);
}

std::uint64_t StageMemory::peak(LayersHeld layers_held) const {
    // With all layers held, nothing computes while the last tensors are cast.
    const bool reads_while_computing = layers_held == LayersHeld::Two;
    const std::uint64_t work = reads_while_computing ? activations + cast : std::max(activations, cast);
    return kProgramBytes + beside + held(layers_held) + work;
}

StageMemory estimate_decoding(const ModelFolder& folder, const VideoSpec& video, Decoding decoding) {
    const VaeConfig config = folder.vae_config();
    const auto cell = config.spatial_compression();
    const auto frames = cogvideox::latent_frames(video.frames, folder.transformer_config());
    const auto latents = static_cast<std::uint64_t>(frames.total - frames.padding);
    const auto height = static_cast<std::uint64_t>(video.height / cell);
    const auto width = static_cast<std::uint64_t>(video.width / cell);
    StageMemory memory = part_memory(folder, "vae", folder.placement(), {{}, {"decoder."}});
    memory.activations =
        decoding == Decoding::Whole
            ? decoder_activations(config, latents, height, width, folder.placement())
            : tiled_decoder_activations(config, Tiling::even(config), latents, height, width, folder.placement());
    return memory;
}

MemoryEstimate estimate_memory(const ModelFolder& folder, const GenerationRequest& request,
                               const std::filesystem::path& adapter, bool with_previews) {
    const Placement& placement = folder.placement();
    const auto config = folder.transformer_config();
    const DenoiserShape shape = denoiser_shape(request, config);
    MemoryEstimate estimate;
    if (with_previews) {
        estimate.previews = part_memory(folder, "vae", placement);
        estimate.previews.activations =
            decoder_activations(folder.vae_config(), 1, kChartCells, kChartCells, placement);
    }
    estimate.text_encoder = estimate_text_encoder(folder);
    estimate.denoising = part_memory(folder, "transformer", placement, {"transformer_blocks.", {}});
    estimate.denoising.activations = transformer_activations(shape, placement);
    estimate.decoding = estimate_decoding(folder, request.video, request.decoding);
    if (request.decoding == Decoding::Whole && has_tiles(folder.vae_config(), request.video)) {
        estimate.tiled_decoding = estimate_decoding(folder, request.video, Decoding::Tiles);
        estimate.may_decode_in_tiles = request.memory_budget != 0;
    }
    if (request.method == Method::None) return estimate;
    const auto opened = magic_mirror::AdapterFile::open(adapter);
    const auto store = WeightStore::open(adapter);
    estimate.features = estimate_features(folder, opened.config(), *store, request.references.size());
    add_adapter(estimate.denoising, opened.config(), *store, shape, request, placement);
    estimate.references.activations = kFaceSearch;
    for (StageMemory* stage :
         {&estimate.references, &estimate.text_encoder, &estimate.features, &estimate.denoising, &estimate.decoding})
        stage->beside = kFaceModels;
    if (estimate.tiled_decoding) estimate.tiled_decoding->beside = kFaceModels;
    return estimate;
}

}  // namespace mirror::engine
