#include "engine/training/people/caption.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/training/people/phrases.h"
#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

constexpr std::string_view kTrigger = "img";
constexpr double kNeutralWords = 0.12;  // How often "person" stands for man or woman, "child" for boy or girl.

std::string_view one_of(Random& random, Phrases phrases) {
    // Half of the time the plainest phrase, which is also what most people will type.
    if (phrases.empty()) return {};
    return random.chance(0.5) ? phrases[0]
                              : phrases[static_cast<std::size_t>(random.below(static_cast<int>(phrases.size())))];
}

std::string with(std::string_view phrase, std::string_view slot, std::string_view value) {
    std::string text(phrase);
    for (std::size_t at = text.find(slot); at != std::string::npos; at = text.find(slot, at + value.size()))
        text.replace(at, slot.size(), value);
    return text;
}

std::string_view possessive(const Identity& identity) { return identity.sex == Sex::Male ? "his" : "her"; }

std::string with_article(const std::string& noun) {
    const bool is_vowel = std::string_view("aeiou").find(noun.front()) != std::string_view::npos;
    std::string text(is_vowel ? "an " : "a ");
    return text.append(noun);
}

std::string coloured(std::string_view phrase, std::string_view colour) {
    const std::string text = with(phrase, "{c}", colour);
    // "a amber bun" and "a orange scarf" want "an".
    if (text.starts_with("a ")) return with_article(text.substr(2));
    return text;
}

std::string listing(const std::vector<std::string>& items) {
    std::string text;
    for (std::size_t index = 0; index < items.size(); ++index) {
        if (index > 0) text += index + 1 == items.size() ? " and " : ", ";
        text += items[index];
    }
    return text;
}

std::string hair_phrase(Random& random, const Identity& identity) {
    return coloured(one_of(random, phrases_of(identity.hair_style)), one_of(random, phrases_of(identity.hair_colour)));
}

std::vector<std::string> looks_of(Random& random, const Identity& identity) {
    std::vector<std::string> others;
    if (identity.glasses != Glasses::None)
        others.push_back(coloured(one_of(random, phrases_of(identity.glasses)), word_of(identity.glasses_colour)));
    if (identity.beard != Beard::None) others.emplace_back(one_of(random, phrases_of(identity.beard)));
    if (identity.accessory != Accessory::None) {
        const std::string phrase =
            coloured(one_of(random, phrases_of(identity.accessory)), word_of(identity.accessory_colour));
        others.push_back(with(phrase, "{p}", possessive(identity)));
    }
    if (identity.mark != Mark::None) others.emplace_back(one_of(random, phrases_of(identity.mark)));
    others.emplace_back(one_of(random, skin_phrases(identity)));
    others.push_back(std::string(word_of(identity.eye_colour)) + " eyes");
    std::vector<std::string> looks = {hair_phrase(random, identity)};
    for (std::string& other : others) {
        if (random.chance(0.65)) looks.push_back(std::move(other));
    }
    return looks;
}

std::string subject(Random& random, const SceneRequest& scene, const CaptionOptions& options) {
    std::string noun(random.chance(kNeutralWords) ? neutral_class_word(scene.identity) : class_word(scene.identity));
    if (options.looks && scene.identity.age != Age::Adult && random.chance(0.7)) {
        std::string aged(one_of(random, age_phrases(scene.identity)));
        aged.append(" ").append(noun);
        noun = std::move(aged);
    }
    std::string text = with_article(noun);
    if (options.trigger) text.append(" ").append(kTrigger);
    if (options.looks) text += " with " + listing(looks_of(random, scene.identity));
    return text;
}

std::string clothes(Random& random, const SceneRequest& scene) {
    const std::string garment =
        with(one_of(random, phrases_of(scene.garment)), "{c}", one_of(random, phrases_of(scene.colour)));
    return std::string(one_of(random, wearing_phrases())) + " " +
           (scene.garment == Garment::Overalls ? garment : with_article(garment));
}

std::string style_phrase(Random& random, Style style) {
    const std::string phrase(one_of(random, phrases_of(style)));
    switch (random.below(3)) {
        case 0:
            return phrase;
        case 1:
            return phrase + " style";
        default:
            return "in " + phrase + " style";
    }
}

std::string main_clause(Random& random, const SceneRequest& scene, const CaptionOptions& options) {
    const std::string who = subject(random, scene, options), where(one_of(random, phrases_of(scene.place)));
    if (scene.portrait) return std::string(one_of(random, portrait_phrases())) + " " + who + " " + where;
    const std::string_view his = possessive(scene.identity);
    if (random.chance(0.25))
        return who + " " + with(one_of(random, present_phrases(scene.action)), "{p}", his) + " " + where;
    const std::string doing = with(one_of(random, phrases_of(scene.action)), "{p}", his);
    switch (random.below(4)) {
        case 0:
            return where + ", " + who + " is " + doing;
        case 1:
            return who + " " + doing + " " + where;
        case 2:
            return who + " " + where + " is " + doing;
        default:
            return who + " is " + doing + " " + where;
    }
}

// How likely an optional part is, by the length asked for.
double share_of(CaptionLength length, double any) {
    return length == CaptionLength::Short ? 0 : length == CaptionLength::Long ? 1 : any;
}

void add_words(std::set<std::string, std::less<>>& words, std::string_view phrase) {
    std::size_t at = 0;
    while (at < phrase.size()) {
        const std::size_t end = std::min(phrase.find(' ', at), phrase.size());
        const std::string_view word = phrase.substr(at, end - at);
        if (!word.empty() && word.front() != '{') words.emplace(word);
        at = end + 1;
    }
}

template <typename Enum>
void add_all(std::set<std::string, std::less<>>& words, int count) {
    for (int label = 0; label < count; ++label) {
        for (const std::string_view phrase : phrases_of(static_cast<Enum>(label))) add_words(words, phrase);
    }
}

template <std::size_t Count, typename Enum>
std::string_view name(const std::array<std::string_view, Count>& names, Enum label) {
    return names[static_cast<std::size_t>(label)];
}

}  // namespace

std::string caption(const SceneRequest& scene, const CaptionOptions& options) {
    Random random(options.seed, 31);
    std::string text = main_clause(random, scene, options);
    if (random.chance(share_of(options.length, 0.6))) text += ", " + clothes(random, scene);
    // A style other than the usual one is always named: otherwise the same words would mean several pictures.
    if (scene.style != Style::Cartoon || random.chance(share_of(options.length, 0.35)))
        text += ", " + style_phrase(random, scene.style);
    const bool moves = scene.camera != Camera::Still && !scene.portrait;
    if (moves && random.chance(share_of(options.length, 0.8)))
        text += ", " + std::string(one_of(random, phrases_of(scene.camera)));
    return text;
}

std::vector<std::string> caption_words() {
    std::set<std::string, std::less<>> words;
    add_words(words, "a an and with is his her of in style eyes img man woman boy girl person child");
    add_all<Action>(words, kActions);
    add_all<Place>(words, kPlaces);
    add_all<Garment>(words, kGarments);
    add_all<GarmentColour>(words, kGarmentColours);
    add_all<Style>(words, kStyles);
    add_all<Camera>(words, kCameras);
    add_all<HairStyle>(words, kHairStyles);
    add_all<HairColour>(words, kHairColours);
    add_all<Beard>(words, kBeards);
    add_all<Glasses>(words, kGlasses);
    add_all<Mark>(words, kMarks);
    add_all<Accessory>(words, kAccessories);
    for (int action = 0; action < kActions; ++action) {
        for (const std::string_view phrase : present_phrases(static_cast<Action>(action))) add_words(words, phrase);
    }
    for (int colour = 0; colour < kAccentColours; ++colour)
        add_words(words, word_of(static_cast<AccentColour>(colour)));
    for (int colour = 0; colour < kEyeColours; ++colour) add_words(words, word_of(static_cast<EyeColour>(colour)));
    for (const std::string_view phrase : wearing_phrases()) add_words(words, phrase);
    for (const std::string_view phrase : portrait_phrases()) add_words(words, phrase);
    Identity identity;
    for (const Age age : {Age::Child, Age::Elder}) {
        identity.age = age;
        for (const std::string_view phrase : age_phrases(identity)) add_words(words, phrase);
    }
    for (const double tone : {-0.9, -0.2, 0.2, 0.9}) {
        identity.traits[static_cast<std::size_t>(Trait::SkinTone)] = tone;
        for (const std::string_view phrase : skin_phrases(identity)) add_words(words, phrase);
    }
    return {words.begin(), words.end()};
}

std::string_view name_of(Action action) {
    return name<kActions>({"turn", "nod", "shake", "tilt", "blink", "smile", "laugh", "talk", "wave", "surprise"},
                          action);
}

std::string_view name_of(Place place) {
    return name<kPlaces>({"beach", "park", "city", "forest", "snow", "desert", "library", "night", "stage", "room"},
                         place);
}

std::string_view name_of(Garment garment) {
    return name<kGarments>({"t-shirt", "shirt", "hoodie", "turtleneck", "jacket", "stripes", "scarf", "overalls"},
                           garment);
}

std::string_view name_of(GarmentColour colour) {
    return name<kGarmentColours>({"red", "orange", "yellow", "green", "blue", "purple", "white", "black"}, colour);
}

std::string_view name_of(Style style) { return name<kStyles>({"cartoon", "soft", "ink", "neon"}, style); }

std::string_view name_of(Camera camera) {
    return name<kCameras>({"still", "pan-left", "pan-right", "zoom-in", "zoom-out", "hand-held"}, camera);
}

std::string_view name_of(Light light) { return name<kLights>({"neutral", "warm", "cool", "dim"}, light); }

}  // namespace mirror::people
