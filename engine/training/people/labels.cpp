// Reading captions back: which phrases of the grammar a text holds.

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/training/people/caption.h"
#include "engine/training/people/phrases.h"

namespace mirror::people {

namespace {

// Lower case, every mark except the hyphen a space, single spaces, one at each end: then " word " finds whole words.
std::string plain(std::string_view text) {
    std::string out = " ";
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        const bool is_word = std::isalnum(byte) || byte >= 0x80 || character == '-';
        const char next = is_word ? static_cast<char>(std::tolower(byte)) : ' ';
        if (next != ' ' || out.back() != ' ') out += next;
    }
    if (out.back() != ' ') out += ' ';
    return out;
}

bool holds(const std::string& text, std::string_view phrase) { return text.find(plain(phrase)) != std::string::npos; }

std::string filled(std::string_view phrase, std::string_view slot, std::string_view value) {
    std::string out(phrase);
    const std::size_t at = out.find(slot);
    if (at != std::string::npos) out.replace(at, slot.size(), value);
    return out;
}

bool holds_any(const std::string& text, Phrases phrases) {
    return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
        if (phrase.find("{p}") == std::string_view::npos) return holds(text, phrase);
        return holds(text, filled(phrase, "{p}", "his")) || holds(text, filled(phrase, "{p}", "her")) ||
               holds(text, filled(phrase, "{p}", "their")) || holds(text, filled(phrase, "{p}", "the"));
    });
}

// The only label that `is_named` holds for.
template <typename Enum, typename Question>
std::optional<Enum> only_one(int count, const Question& is_named) {
    std::optional<Enum> found;
    for (int index = 0; index < count; ++index) {
        const auto label = static_cast<Enum>(index);
        if (!is_named(label)) continue;
        if (found) return std::nullopt;
        found = label;
    }
    return found;
}

std::optional<std::string> class_word_in(const std::string& text) {
    static constexpr std::array<std::string_view, 6> kWords = {"man", "woman", "boy", "girl", "person", "child"};
    std::optional<std::string> found;
    for (const std::string_view word : kWords) {
        if (!holds(text, word)) continue;
        if (found) return std::nullopt;
        found = std::string(word);
    }
    return found;
}

struct Clothing {
    std::size_t size = 0;  // Of the phrase that was found; the longest wins: "striped sweater" against "sweater".
    Garment garment = Garment::TShirt;
    std::optional<GarmentColour> colour;
};

void look_for(const std::string& text, Garment garment, std::string_view phrase, Clothing& best) {
    const auto consider = [&](std::string_view colour_phrase, std::optional<GarmentColour> colour) {
        const std::string wanted = plain(filled(phrase, "{c}", colour_phrase));
        if (wanted.size() > best.size && text.find(wanted) != std::string::npos)
            best = {wanted.size(), garment, colour};
    };
    consider("", std::nullopt);
    for (int index = 0; index < kGarmentColours; ++index) {
        const auto colour = static_cast<GarmentColour>(index);
        for (const std::string_view words : phrases_of(colour)) consider(words, colour);
    }
}

Clothing clothing_in(const std::string& text) {
    Clothing best;
    for (int index = 0; index < kGarments; ++index) {
        const auto garment = static_cast<Garment>(index);
        for (const std::string_view phrase : phrases_of(garment)) look_for(text, garment, phrase, best);
    }
    return best;
}

}  // namespace

SceneLabels labels_of_text(std::string_view words) {
    const std::string text = plain(words);
    SceneLabels labels;
    labels.trigger = holds(text, "img");
    labels.class_word = class_word_in(text);
    labels.action = only_one<Action>(kActions, [&](Action action) {
        return holds_any(text, phrases_of(action)) || holds_any(text, present_phrases(action));
    });
    labels.place = only_one<Place>(kPlaces, [&](Place place) { return holds_any(text, phrases_of(place)); });
    // "walking on a sunny beach": no phrase of the grammar, but one of the plain names.
    if (!labels.place)
        labels.place = only_one<Place>(kPlaces, [&](Place place) { return holds(text, name_of(place)); });
    labels.style = only_one<Style>(kStyles, [&](Style style) { return holds_any(text, phrases_of(style)); });
    labels.camera = only_one<Camera>(kCameras, [&](Camera camera) { return holds_any(text, phrases_of(camera)); });
    const Clothing clothing = clothing_in(text);
    if (clothing.size > 0) labels.garment = clothing.garment;
    labels.colour = clothing.colour;
    return labels;
}

}  // namespace mirror::people
