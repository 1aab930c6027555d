#include "engine/training/model_start.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/session/bench_weights.h"
#include "engine/training/model_writer.h"

namespace mirror::engine::training {

namespace {

// As `--set` would have it.
std::string switch_text(const ConfigReader& file, const std::string& name) {
    const formats::JsonValue& value = file.value(name);
    if (value.as_string() != nullptr) return *value.as_string();
    if (!value.is_number()) file.refuse(name, "must be a word or a number");
    std::ostringstream text;
    if (value.as_integer()) {
        text << *value.as_integer();
    } else {
        text << *value.as_number();
    }
    return std::move(text).str();
}

// The preset's, with the switches of the recipe's "model".
magic_mirror::AdapterConfig adapter_of(const CheckpointPreset& preset, const ConfigReader& model) {
    magic_mirror::AdapterConfig config = preset.adapter;
    if (!model.has("switches")) return config;
    const ConfigReader file = model.object("switches");
    magic_mirror::SwitchOverrides overrides;
    for (const std::string& name : file.keys()) {
        overrides.emplace_back(name, switch_text(file, name));
    }
    value_or_throw(apply_overrides(config.switches, overrides));
    return config;
}

}  // namespace

void ModelStart::check(const Recipe& recipe, Switches switches) {
    const ConfigReader model = recipe.file.object("model");
    model.refuse_unknown({"preset", "switches"});
    if (switches == Switches::Refused && model.has("switches"))
        model.refuse("switches", "is for the stages base and adapter alone");
    adapter_of(CheckpointPreset::find(model.text("preset")), model);
}

ModelStart::ModelStart(const Recipe& recipe, at::Device device)
    : input_(recipe.input),
      device_(device),
      folder_(recipe.random_weights ? std::filesystem::path() : recipe.input, {at::kFloat, device},
              WeightCheck::Finite),
      preset_(CheckpointPreset::find(recipe.file.object("model").text("preset"))),
      model_(recipe.file.object("model")),
      random_(recipe.random_weights),
      seed_(recipe.seed) {
    model_.refuse_unknown({"preset", "switches"});
}

ConfigReader ModelStart::config(const std::string& part) const {
    const std::string name = part + "/config.json";
    if (has(part)) return ConfigReader::open(input_ / name);
    return ConfigReader::parse(preset_.files.at(name), name + " of the preset " + preset_.name);
}

Initializer ModelStart::values(const std::string& part, Initializer fresh) const {
    return has(part) ? values_from(folder_.store(part)) : std::move(fresh);
}

WeightScope ModelStart::frozen(const std::string& part, at::ScalarType dtype) const {
    if (random_) return {std::make_shared<RandomWeights>(seed_, device_), {dtype, device_}};
    if (!has(part))
        throw EngineError(ErrorCode::MissingFile, "The folder " + path_for_message(input_) + " has no " + part +
                                                      "/; train the stages before this one first.");
    return {folder_.store(part), {dtype, device_}};
}

magic_mirror::AdapterConfig ModelStart::adapter_config() const { return adapter_of(preset_, model_); }

RecognizerConfig ModelStart::recognizer_config() const {
    return has("recognizer") ? folder_.recognizer_config() : read_recognizer_config(config("recognizer"));
}

Tokenizer ModelStart::tokenizer() const {
    if (has("tokenizer")) return folder_.tokenizer();
    return value_or_throw(Tokenizer::parse(preset_.spiece_model(), "spiece.model", preset_.vocabulary));
}

ScheduleConfig ModelStart::schedule() const {
    if (has("scheduler")) return folder_.schedule();
    const char* name = "scheduler/scheduler_config.json";
    return read_schedule_config(ConfigReader::parse(preset_.files.at(name), name));
}

std::string ModelStart::fingerprint(const std::string& part) const {
    return has(part) ? folder_.store(part)->fingerprint() : std::string("random");
}

std::string ModelStart::model_index() const {
    auto index = nlohmann::ordered_json::parse(preset_.model_index(0));
    for (const char* key : {"_random_weights", "_seed"}) index.erase(key);
    return index.dump(2) + "\n";
}

void ModelStart::write_texts(const std::filesystem::path& output, const std::vector<std::string>& made) const {
    if (!input_.empty()) copy_missing_parts(input_, output);
    for (const std::string& part : made) {
        for (const auto& [file, text] : preset_.files) {
            if (file.starts_with(part + "/") && !has(part)) write_text(output / file, text);
        }
        if (part == "tokenizer" && !has(part))
            write_text(output / "tokenizer" / "spiece.model", preset_.spiece_model());
    }
}

}  // namespace mirror::engine::training
