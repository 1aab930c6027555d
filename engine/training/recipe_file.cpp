#include "engine/training/recipe_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/weights/mapped_file.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr int kLongestChain = 8;
constexpr const char* kBasedOn = "based_on";

std::string bytes_of(const fs::path& path) {
    std::string text = value_or_throw(read_whole_file(path, limits::kConfigBytes));
    if (text.empty())
        throw EngineError(ErrorCode::MalformedFile, "The recipe " + path_for_message(path) + " is empty.");
    return text;
}

// Not an object, or no JSON: the recipe's own reader says it better.
Json object_of(const std::string& text) {
    Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    return parsed.is_object() ? parsed : Json::object();
}

}  // namespace

std::string recipe_text(const fs::path& file) {
    std::string text = bytes_of(file);
    Json changes = object_of(text);
    if (!changes.contains(kBasedOn)) return text;
    fs::path place = file;
    for (int step = 0; changes.contains(kBasedOn); ++step) {
        if (step == kLongestChain || !changes[kBasedOn].is_string())
            throw EngineError(ErrorCode::MalformedFile, "The recipe " + path_for_message(place) +
                                                            ": based_on must be the name of another recipe, and the "
                                                            "recipes must not name each other in a circle.");
        place = place.parent_path() / changes[kBasedOn].get<std::string>();
        changes.erase(kBasedOn);
        const std::string below = bytes_of(place);
        Json whole = Json::parse(below, nullptr, /*allow_exceptions=*/false);
        if (!whole.is_object())
            throw EngineError(ErrorCode::MalformedFile, "The recipe " + path_for_message(place) +
                                                            ", which another is based on, is not a JSON object.");
        whole.merge_patch(changes);
        changes = std::move(whole);
    }
    return changes.dump(2) + "\n";
}

}  // namespace mirror::engine::training
