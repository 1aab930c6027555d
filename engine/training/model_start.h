#pragma once

// What a stage starts from: the folder of the stage before, or the sizes of a built-in preset for parts that nobody has
// trained yet.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/session/checkpoint_preset.h"
#include "engine/session/model_folder.h"
#include "engine/training/recipe.h"
#include "engine/training/trainable_store.h"

namespace mirror::engine::training {

class ModelStart {
public:
    enum class Switches { Taken, Refused };
    // The recipe's "model" by itself. EngineError: an unknown key, preset, or switch.
    static void check(const Recipe& recipe, Switches switches);

    // The recipe's "input" and the key "preset" of its "model". EngineError if neither is given.
    ModelStart(const Recipe& recipe, at::Device device);

    bool has(const std::string& part) const { return !random_ && !input_.empty() && folder_.has(part); }
    const ModelFolder& folder() const { return folder_; }  // In float32.
    const CheckpointPreset& preset() const { return preset_; }

    // config.json of a part, from the input or the preset.
    ConfigReader config(const std::string& part) const;
    // The values of a part's weights: from the input if it has the part, else `fresh`.
    Initializer values(const std::string& part, Initializer fresh) const;
    // Weights of a part that is not trained. EngineError: the input does not have it.
    WeightScope frozen(const std::string& part, at::ScalarType dtype = at::kFloat) const;

    // The same as values: from the input, or of the preset's sizes.
    magic_mirror::AdapterConfig adapter_config() const;  // The preset's, with the switches of the recipe's "model".
    VaeConfig vae_config() const { return VaeConfig::read(config("vae")); }
    RecognizerConfig recognizer_config() const;
    Tokenizer tokenizer() const;
    ScheduleConfig schedule() const;
    // Of a part's weights; "random" without any.
    std::string fingerprint(const std::string& part) const;
    bool is_random() const { return random_; }

    // model_index.json of a model that was trained.
    std::string model_index() const;
    // Copies what the input has and writes the preset's texts for the parts in `made`.
    void write_texts(const std::filesystem::path& output, const std::vector<std::string>& made) const;

private:
    std::filesystem::path input_;
    at::Device device_;
    ModelFolder folder_;
    CheckpointPreset preset_;
    ConfigReader model_;  // Of the recipe.
    bool random_;
    std::uint64_t seed_;
};

}  // namespace mirror::engine::training
