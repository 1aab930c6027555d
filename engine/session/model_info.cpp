#include "engine/session/model_info.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "engine/backbones/cogvideox/config.h"
#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/session/error_boundary.h"
#include "engine/vae/cogvideox_vae.h"
#include "engine/weights/config_reader.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine {

namespace {

constexpr int kSideStep = 16;
constexpr int kFramesStep = 8;
constexpr FrameRate kBaseRate{8, 1};
constexpr FrameRate kNewerRate{16, 1};  // CogVideoX 1.5

bool is_there(const std::filesystem::path& file) {
    std::error_code error;
    return std::filesystem::exists(file, error);
}

// The nearest size at or below that a request may have.
int usable_side(std::int64_t pixels) {
    return static_cast<int>(
        std::clamp<std::int64_t>(pixels / kSideStep * kSideStep, limits::kMinSide, limits::kMaxSide));
}

// The nearest length at or below, but no still picture.
int usable_frames(std::int64_t frames, int step) {
    const std::int64_t bounded = std::clamp<std::int64_t>(frames, step + 1, limits::kMaxFrames);
    return static_cast<int>((bounded - 1) / step * step + 1);
}

SamplerKind sampler_of(const std::filesystem::path& model) {
    const auto config = ConfigReader::open(model / "scheduler" / "scheduler_config.json");
    return config.text_or("_class_name", "").find("DDIM") != std::string::npos ? SamplerKind::Ddim : SamplerKind::Dpm;
}

// What the folder says of itself beside the published layout.
void read_own_remarks(const std::filesystem::path& model, ModelInfo& info) {
    const auto index = model / "model_index.json";
    if (!is_there(index)) return;
    const ConfigReader remarks = ConfigReader::open(index);
    info.random_weights = remarks.boolean_or("_random_weights", false);
    info.draws = escape_for_message(remarks.text_or("_draws", ""));
    if (!remarks.has("_sampling")) return;
    const ConfigReader sampling = remarks.object("_sampling");
    info.steps = static_cast<int>(sampling.integer_or("steps", info.steps, 1, limits::kMaxSteps));
    info.guidance = sampling.number_or("guidance", info.guidance, 0, limits::kMaxGuidance);
}

ModelInfo model_info(const std::filesystem::path& model) {
    if (!is_there(model / "transformer" / "config.json"))
        throw EngineError(
            ErrorCode::MissingFile,
            "'" + escape_for_message(model) + "' is no checkpoint folder: transformer/config.json is not there");
    const auto transformer = cogvideox::read_transformer_config(model / "transformer" / "config.json");
    const auto vae = VaeConfig::read(ConfigReader::open(model / "vae" / "config.json"));
    ModelInfo info;
    info.frames_step = transformer.patch_size_t ? 2 * kFramesStep : kFramesStep;
    info.video.width = usable_side(transformer.sample_width * vae.spatial_compression());
    info.video.height = usable_side(transformer.sample_height * vae.spatial_compression());
    info.video.frames = usable_frames(transformer.sample_frames, info.frames_step);
    info.video.rate = transformer.patch_size_t ? kNewerRate : kBaseRate;
    info.latent_channels = static_cast<int>(vae.latent_channels);
    info.text_tokens = static_cast<int>(transformer.max_text_seq_length);
    info.takes_image = transformer.is_image_to_video();
    info.sampler = sampler_of(model);
    info.dynamic_guidance = info.sampler == SamplerKind::Dpm ? DynamicGuidance::Timestep : DynamicGuidance::Off;
    info.has_adapter = find_adapter(model, {}).ok();
    read_own_remarks(model, info);
    return info;
}

// Adapter files of a folder; a shard is not one, its index is.
std::vector<std::filesystem::path> adapters_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> single, indexed;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.ends_with(".safetensors.index.json"))
            indexed.push_back(entry->path());
        else if (name.ends_with(".safetensors") && !name.ends_with(".ema.safetensors"))
            single.push_back(entry->path());
    }
    if (!indexed.empty()) return indexed;
    return single;
}

}  // namespace

Result<ModelInfo> read_model_info(const std::filesystem::path& model) {
    return guarded_value<ModelInfo>([&] { return model_info(model); });
}

Result<AdapterFacts> read_adapter_facts(const std::filesystem::path& adapter) {
    return guarded_value<AdapterFacts>([&] {
        const formats::Metadata metadata = WeightStore::open(adapter, "adapter")->metadata();
        const auto field = [&](const char* name) {
            const auto found = metadata.find(name);
            return found == metadata.end() ? std::string() : found->second;
        };
        return AdapterFacts{field("id_pack"), field("license")};
    });
}

Result<std::filesystem::path> find_adapter(const std::filesystem::path& model, const std::filesystem::path& given) {
    if (!given.empty()) return given;
    const auto folder = model / "adapter";
    const auto found = adapters_in(folder);
    if (found.size() == 1) return found.front();
    const std::string what = found.empty() ? "there is no adapter in '" : "there are several adapters in '";
    return Error{ErrorCode::MissingFile, what + escape_for_message(folder) + "': give one with --adapter"};
}

}  // namespace mirror::engine
