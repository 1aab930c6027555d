#pragma once

// The colours that people and clothes come in, before a style changes them.

#include "engine/training/people/colour.h"
#include "engine/training/people/people.h"

namespace mirror::people {

Colour skin_colour(const Identity& identity);
Colour hair_colour(const Identity& identity);
Colour brow_colour(const Identity& identity);
Colour lip_colour(const Identity& identity);
Colour colour_of(EyeColour colour);
Colour colour_of(AccentColour colour);
Colour colour_of(GarmentColour colour);

// What daylight, lamp light and so on do to every pixel.
Colour tint_of(Light light);

}  // namespace mirror::people
