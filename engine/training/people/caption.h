#pragma once

// What a drawn scene is called, in many ways, and back: the labels that a text names.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/training/people/people.h"

namespace mirror::people {

enum class CaptionLength { Any, Short, Long };

struct CaptionOptions {
    std::uint64_t seed = 0;                     // Chooses among synonyms and orders.
    CaptionLength length = CaptionLength::Any;  // Short: person, action and place. Long: clothes, style and camera too.
    bool trigger = false;                       // The word "img" behind the class word.
    bool looks = false;                         // Hair, glasses, beard and so on: for training the base model.
};

// One lower-case English sentence without a full stop. A portrait has no action: "a portrait of ...".
std::string caption(const SceneRequest& scene, const CaptionOptions& options);

// What a text says about a scene; nothing where it says nothing, or several things.
struct SceneLabels {
    std::optional<std::string> class_word;
    std::optional<Action> action;
    std::optional<Place> place;
    std::optional<Garment> garment;
    std::optional<GarmentColour> colour;
    std::optional<Style> style;
    std::optional<Camera> camera;
    bool trigger = false;
};

SceneLabels labels_of_text(std::string_view text);

// Short names for tables, file names and messages: "turn", "beach", "t-shirt", "red", "cartoon", "zoom-in", "warm".
std::string_view name_of(Action action);
std::string_view name_of(Place place);
std::string_view name_of(Garment garment);
std::string_view name_of(GarmentColour colour);
std::string_view name_of(Style style);
std::string_view name_of(Camera camera);
std::string_view name_of(Light light);

// Every word that caption() can write, sorted, each once.
std::vector<std::string> caption_words();

}  // namespace mirror::people
