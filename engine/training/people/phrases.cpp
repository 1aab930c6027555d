#include "engine/training/people/phrases.h"

#include <array>
#include <cstddef>

namespace mirror::people {

namespace {

// A short table of one label's phrases; unused places are empty.
template <std::size_t Count>
using Table = std::array<std::array<std::string_view, 6>, Count>;

template <std::size_t Count, typename Enum>
Phrases row(const Table<Count>& table, Enum label) {
    const auto& phrases = table[static_cast<std::size_t>(label)];
    std::size_t used = 0;
    while (used < phrases.size() && !phrases[used].empty()) ++used;
    return {phrases.data(), used};
}

}  // namespace

Phrases phrases_of(Action action) {
    static constexpr Table<kActions> kTable = {{
        {"turning {p} head", "looking from side to side", "looking around", "turning around to look",
         "glancing left and right"},
        {"nodding", "nodding yes", "nodding {p} head", "agreeing with a nod"},
        {"shaking {p} head", "saying no", "disagreeing", "refusing"},
        {"tilting {p} head", "swaying {p} head", "leaning {p} head", "cocking {p} head"},
        {"blinking", "closing {p} eyes", "blinking slowly", "shutting {p} eyes"},
        {"smiling", "giving a smile", "grinning", "beaming with joy", "starting to smile"},
        {"laughing", "laughing out loud", "giggling", "chuckling", "cracking up"},
        {"talking", "speaking", "chatting", "giving a speech", "telling a story"},
        {"waving", "waving hello", "waving {p} hand", "waving at the viewer", "greeting with {p} hand"},
        {"surprised", "looking surprised", "amazed", "astonished", "shocked", "startled"},
    }};
    return row(kTable, action);
}

Phrases present_phrases(Action action) {
    static constexpr Table<kActions> kTable = {{
        {"turns {p} head", "looks around", "looks from side to side"},
        {"nods", "nods {p} head"},
        {"shakes {p} head", "says no"},
        {"tilts {p} head", "sways {p} head"},
        {"blinks", "closes {p} eyes"},
        {"smiles", "grins", "starts to smile"},
        {"laughs", "laughs out loud", "giggles"},
        {"talks", "speaks", "tells a story"},
        {"waves", "waves {p} hand", "waves at the viewer"},
        {"looks surprised", "is surprised", "is amazed"},
    }};
    return row(kTable, action);
}

Phrases phrases_of(Place place) {
    static constexpr Table<kPlaces> kTable = {{
        {"on the beach", "at the beach", "by the sea", "at the seaside", "under a palm tree"},
        {"in the park", "in a park", "on a meadow", "in a green garden", "in the countryside"},
        {"in the city", "in a city", "on a city street", "downtown", "in front of skyscrapers"},
        {"in the forest", "in a forest", "in the woods", "among dark trees"},
        {"in the snow", "in snowy mountains", "on a winter day", "in front of snowy mountains"},
        {"in the desert", "in a desert", "among sand dunes", "beside a cactus"},
        {"in the library", "in a library", "in front of bookshelves", "among books"},
        {"at night", "under the stars", "under the moon", "on a starry night", "in the moonlight"},
        {"on stage", "on a stage", "in a theater", "in front of red curtains"},
        {"in a room", "at home", "in the living room", "indoors", "beside a window"},
    }};
    return row(kTable, place);
}

Phrases phrases_of(Garment garment) {
    static constexpr Table<kGarments> kTable = {{
        {"{c} t-shirt", "{c} tee", "plain {c} t-shirt"},
        {"{c} shirt", "{c} collared shirt", "{c} button-up shirt"},
        {"{c} hoodie", "{c} hooded sweatshirt", "{c} hooded top"},
        {"{c} turtleneck", "{c} turtleneck sweater", "{c} roll-neck pullover"},
        {"{c} jacket", "{c} blazer", "{c} suit jacket"},
        {"{c} striped sweater", "striped {c} sweater", "{c} striped top"},
        {"{c} scarf", "{c} woolen scarf", "warm {c} scarf"},
        {"{c} overalls", "{c} dungarees"},
    }};
    return row(kTable, garment);
}

Phrases phrases_of(GarmentColour colour) {
    static constexpr Table<kGarmentColours> kTable = {{
        {"red", "bright red", "crimson", "scarlet"},
        {"orange", "bright orange", "tangerine"},
        {"yellow", "bright yellow", "golden yellow"},
        {"green", "grass green", "emerald"},
        {"blue", "bright blue", "royal blue"},
        {"purple", "violet", "lilac"},
        {"white", "snow white", "ivory"},
        {"black", "jet black", "charcoal"},
    }};
    return row(kTable, colour);
}

Phrases phrases_of(Style style) {
    static constexpr Table<kStyles> kTable = {{
        {"cartoon", "flat cartoon", "comic", "animated cartoon"},
        {"soft shading", "soft 3d render", "clay render", "smooth shaded", "pastel"},
        {"ink drawing", "ink on paper", "pen sketch", "line drawing", "sketch"},
        {"neon", "neon lights", "glowing neon", "cyberpunk"},
    }};
    return row(kTable, style);
}

Phrases phrases_of(Camera camera) {
    static constexpr Table<kCameras> kTable = {{
        {},
        {"the camera pans left", "camera moving left", "panning left"},
        {"the camera pans right", "camera moving right", "panning right"},
        {"the camera zooms in", "zooming in", "slow zoom in", "the camera comes closer"},
        {"the camera zooms out", "zooming out", "slow zoom out", "the camera moves away"},
        {"handheld camera", "shaky camera", "hand-held footage"},
    }};
    return row(kTable, camera);
}

Phrases phrases_of(HairStyle style) {
    static constexpr Table<kHairStyles> kTable = {{
        {"a bald head", "no hair"},
        {"very short {c} hair", "a {c} buzz cut"},
        {"short {c} hair", "neat {c} hair"},
        {"a {c} quiff", "{c} hair combed up"},
        {"curly {c} hair", "{c} curls"},
        {"a {c} bob", "chin-length {c} hair"},
        {"long {c} hair", "long straight {c} hair"},
        {"a {c} ponytail", "{c} hair in a ponytail"},
        {"a {c} bun", "{c} hair in a bun"},
        {"{c} pigtails", "{c} hair in pigtails"},
    }};
    return row(kTable, style);
}

Phrases phrases_of(HairColour colour) {
    static constexpr Table<kHairColours> kTable = {{{"black"},
                                                    {"dark brown"},
                                                    {"brown", "chestnut"},
                                                    {"red", "ginger"},
                                                    {"blond", "blonde"},
                                                    {"gray", "grey"},
                                                    {"white"},
                                                    {"blue"},
                                                    {"pink"}}};
    return row(kTable, colour);
}

Phrases phrases_of(Beard beard) {
    static constexpr Table<kBeards> kTable = {{{},
                                               {"a moustache", "a mustache"},
                                               {"a goatee", "a pointed beard"},
                                               {"a full beard", "a thick beard"},
                                               {"stubble", "an unshaven face"}}};
    return row(kTable, beard);
}

Phrases phrases_of(Glasses glasses) {
    static constexpr Table<kGlasses> kTable = {{{},
                                                {"round {c} glasses", "{c} glasses"},
                                                {"square {c} glasses", "{c} glasses"},
                                                {"{c} cat-eye glasses", "{c} glasses"}}};
    return row(kTable, glasses);
}

Phrases phrases_of(Mark mark) {
    static constexpr Table<kMarks> kTable = {{{},
                                              {"freckles", "a freckled face"},
                                              {"a beauty spot", "a mole"},
                                              {"rosy cheeks", "red cheeks"},
                                              {"a plaster on the cheek", "a small plaster"}}};
    return row(kTable, mark);
}

Phrases phrases_of(Accessory accessory) {
    static constexpr Table<kAccessories> kTable = {{{},
                                                    {"a {c} beanie", "a {c} woolen hat"},
                                                    {"a {c} cap", "a {c} baseball cap"},
                                                    {"a {c} headband", "a {c} hair band"},
                                                    {"{c} earrings"},
                                                    {"a {c} flower in {p} hair", "a {c} flower"}}};
    return row(kTable, accessory);
}

std::string_view word_of(AccentColour colour) {
    static constexpr std::array<std::string_view, kAccentColours> kWords = {"red",  "yellow", "green",
                                                                            "blue", "violet", "black"};
    return kWords[static_cast<std::size_t>(colour)];
}

std::string_view word_of(EyeColour colour) {
    static constexpr std::array<std::string_view, kEyeColours> kWords = {"brown", "blue", "green", "gray", "amber"};
    return kWords[static_cast<std::size_t>(colour)];
}

Phrases skin_phrases(const Identity& identity) {
    static constexpr Table<4> kTable = {
        {{"pale skin", "fair skin"}, {"light skin"}, {"tan skin", "brown skin"}, {"dark skin", "dark brown skin"}}};
    const double tone = identity.trait(Trait::SkinTone);
    return row(kTable, tone < -0.5 ? 0 : tone < 0 ? 1 : tone < 0.5 ? 2 : 3);
}

Phrases wearing_phrases() {
    static constexpr Table<1> kTable = {{{"wearing", "in", "dressed in", "with"}}};
    return row(kTable, 0);
}

Phrases portrait_phrases() {
    static constexpr Table<1> kTable = {{{"a portrait of", "a picture of", "a close-up of", "a photo of"}}};
    return row(kTable, 0);
}

Phrases age_phrases(const Identity& identity) {
    static constexpr Table<kAges> kTable = {{{"young", "little"}, {}, {"elderly", "old"}}};
    return row(kTable, identity.age);
}

}  // namespace mirror::people
