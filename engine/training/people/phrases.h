#pragma once

// The words for everything that a scene can show. The first phrase of a list is the plainest. No phrase of one label is
// contained in a phrase of another, so that a text can be read back.

#include <span>
#include <string_view>

#include "engine/training/people/people.h"

namespace mirror::people {

using Phrases = std::span<const std::string_view>;

// "{p}" stands for "his" or "her".
Phrases phrases_of(Action action);         // with "is" in front: "is waving"
Phrases present_phrases(Action action);    // "waves"
Phrases phrases_of(Place place);           // "on the beach"
Phrases phrases_of(Garment garment);       // "{c} hoodie" after "a" or "an": the colour is put in
Phrases phrases_of(GarmentColour colour);  // "red"
Phrases phrases_of(Style style);           // "flat cartoon"
Phrases phrases_of(Camera camera);         // "the camera pans left"; none for Camera::Still

Phrases phrases_of(HairStyle style);    // "long hair": the colour is put in front of "hair" or for "{c}"
Phrases phrases_of(HairColour colour);  // "blond"
Phrases phrases_of(Beard beard);        // "a full beard"
Phrases phrases_of(Glasses glasses);    // "round {c} glasses"
Phrases phrases_of(Mark mark);
Phrases phrases_of(Accessory accessory);  // "a {c} beanie"
std::string_view word_of(AccentColour colour);
std::string_view word_of(EyeColour colour);
Phrases skin_phrases(const Identity& identity);  // "pale skin"

// Joints of sentences: words that are in captions and say nothing of their own.
Phrases wearing_phrases();                      // "wearing", "in", "dressed in"
Phrases portrait_phrases();                     // "a portrait of"
Phrases age_phrases(const Identity& identity);  // "elderly", "young"; empty for adults

}  // namespace mirror::people
