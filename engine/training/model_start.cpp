#include "engine/training/model_start.h"

#include <nlohmann/json.hpp>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/training/model_writer.h"

namespace mirror::engine::training {

ModelStart::ModelStart(const Recipe& recipe, at::Device device)
    : input_(recipe.input),
      device_(device),
      folder_(recipe.input, {at::kFloat, device}, WeightCheck::Finite),
      preset_(CheckpointPreset::find(recipe.file.object("model").text("preset"))) {}

ConfigReader ModelStart::config(const std::string& part) const {
    const std::string name = part + "/config.json";
    if (has(part)) return ConfigReader::open(input_ / name);
    return ConfigReader::parse(preset_.files.at(name), name + " of the preset " + preset_.name);
}

Initializer ModelStart::values(const std::string& part, Initializer fresh) const {
    return has(part) ? values_from(folder_.store(part)) : std::move(fresh);
}

WeightScope ModelStart::frozen(const std::string& part) const {
    if (!has(part))
        throw EngineError(ErrorCode::MissingFile, "The folder " + path_for_message(input_) + " has no " + part +
                                                      "/; train the stages before this one first.");
    return {folder_.store(part), {at::kFloat, device_}};
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
