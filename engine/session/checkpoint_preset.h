#pragma once

// The presets of `models init` (presets/models/*.json) and the config files that each component of such a checkpoint
// gets.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/request.h"
#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/text/builtin_vocabularies.h"

namespace mirror::engine {

struct PresetText {
    std::string_view name;
    std::string_view json;
};

// Sorted by name; part of the program.
const std::vector<PresetText>& preset_texts();

struct CheckpointPreset {
    // InvalidRequest lists the presets that there are.
    static CheckpointPreset find(std::string_view name);

    std::string name;
    Precision precision = Precision::Fp32;  // Of everything but the recogniser.
    magic_mirror::AdapterConfig adapter;
    std::int64_t vocabulary = 0;  // Rows of the text encoder's embedding.
    // Path in the folder ("vae/config.json") to the file's text: every JSON file but model_index.json and shard
    // indexes.
    std::map<std::string, std::string> files;

    // The bytes of tokenizer/spiece.model.
    std::string spiece_model() const { return vocabulary_for(words_, vocabulary); }
    // The last file to be written: it makes the folder a checkpoint.
    std::string model_index(std::uint64_t seed) const;

private:
    std::string scheduler_;
    std::string draws_;     // What the model is for, if not for photographs.
    std::string sampling_;  // JSON: the steps and the guidance that suit it; empty: as the published models.
    VocabularyKind words_ = VocabularyKind::General;
};

// config.json of image_encoder/ and id_perceiver/. `dtype` as transformers spells it: "bfloat16".
std::string image_encoder_config_json(const magic_mirror::ClipVisionShape& shape, const std::string& dtype);
std::string id_perceiver_config_json(const magic_mirror::PerceiverIdShape& shape, std::int64_t clip_hidden_size);

}  // namespace mirror::engine
