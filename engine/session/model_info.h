#pragma once

// What a checkpoint folder says about itself, without reading a weight. Names no torch type.

#include <filesystem>
#include <optional>
#include <string>

#include "engine/core/request.h"
#include "engine/core/result.h"

namespace mirror::engine {

struct ModelInfo {
    VideoSpec video;  // The size, length and rate that the model was made for.
    SamplerKind sampler = SamplerKind::Dpm;
    DynamicGuidance dynamic_guidance = DynamicGuidance::Timestep;  // That sampler's default.
    int latent_channels = 16;
    int frames_step = 8;  // `frames` is a multiple of this plus 1: 8, or 16 for the 1.5 models.
    int text_tokens = 226;
    bool takes_image = false;     // An image-to-video model: it needs a first frame.
    bool has_adapter = false;     // A Magic Mirror adapter lies in the folder.
    bool random_weights = false;  // Made by `models init`.
    int steps = 50;               // Where nobody says how many; `_sampling.steps` of model_index.json.
    double guidance = 6.0;        // Likewise, `_sampling.guidance`.
    std::string draws;            // `_draws` of model_index.json: "cartoon people"; empty: whatever there is.
};

// Errors: MissingFile, MalformedFile; the sentence names the file and the key.
Result<ModelInfo> read_model_info(const std::filesystem::path& model);

// What an adapter says in its metadata; empty where it says nothing.
struct AdapterFacts {
    std::string id_pack;  // The embedding space that it understands.
    std::string licence;
};
Result<AdapterFacts> read_adapter_facts(const std::filesystem::path& adapter);

// The adapter of a folder: the file given, or the only one in DIR/adapter. MissingFile says what was looked for.
Result<std::filesystem::path> find_adapter(const std::filesystem::path& model, const std::filesystem::path& given);

}  // namespace mirror::engine
