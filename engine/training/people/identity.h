#pragma once

// Who a drawn person is: every property that stays the same in all pictures of that person, as a pure function of a
// seed, and as a vector of numbers for regression and for judging.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mirror::people {

enum class Sex { Male, Female };
enum class Age { Child, Adult, Elder };
enum class HairStyle { Bald, Buzz, SidePart, Quiff, Curly, Bob, Long, Ponytail, Bun, Pigtails };
enum class HairColour { Black, DarkBrown, Chestnut, Red, Blond, Grey, White, Blue, Pink };
enum class Fringe { None, Straight, Swept };
enum class EyeColour { Brown, Blue, Green, Grey, Amber };
enum class NoseShape { Button, Round, Long, Wide };
enum class Beard { None, Moustache, Goatee, Full, Stubble };
enum class Glasses { None, Round, Square, CatEye };
enum class Mark { None, Freckles, BeautySpot, RosyCheeks, Plaster };
enum class Accessory { None, Beanie, Cap, Headband, Earrings, Flower };
enum class AccentColour { Red, Yellow, Green, Blue, Violet, Black };  // Of the glasses and of the accessory.

inline constexpr int kSexes = 2, kAges = 3, kHairStyles = 10, kHairColours = 9, kFringes = 3, kEyeColours = 5,
                     kNoseShapes = 4, kBeards = 5, kGlasses = 4, kMarks = 5, kAccessories = 6, kAccentColours = 6;

// The continuous properties, each in [-1, 1] and 0 for the average person.
enum class Trait {
    SkinTone,       // -1 lightest, 1 darkest
    SkinUndertone,  // -1 rosy, 1 golden
    FaceWidth,
    JawWidth,
    ChinLength,
    HeadSize,
    EyeSize,
    EyeSpacing,
    EyeSlant,  // 1: the outer corners are higher
    EyeHeight,
    BrowThickness,
    BrowAngle,  // 1: the outer ends are higher
    BrowHeight,
    NoseSize,
    NoseHeight,
    MouthWidth,
    MouthHeight,
    LipFullness,
    EarSize,
    NeckWidth,
    HairVolume,
    Parting,  // below 0: on the image's left
};
inline constexpr int kTraits = 22;

struct Identity {
    std::uint64_t seed = 0;
    Sex sex = Sex::Male;
    Age age = Age::Adult;
    HairStyle hair_style = HairStyle::SidePart;
    HairColour hair_colour = HairColour::Black;
    Fringe fringe = Fringe::None;
    EyeColour eye_colour = EyeColour::Brown;
    NoseShape nose_shape = NoseShape::Button;
    Beard beard = Beard::None;
    Glasses glasses = Glasses::None;
    AccentColour glasses_colour = AccentColour::Black;
    Mark mark = Mark::None;
    Accessory accessory = Accessory::None;
    AccentColour accessory_colour = AccentColour::Red;
    std::array<double, kTraits> traits{};

    double trait(Trait which) const { return traits[static_cast<std::size_t>(which)]; }
    friend bool operator==(const Identity&, const Identity&) = default;
};

Identity identity_of(std::uint64_t seed);

// "man", "woman", "boy" or "girl".
std::string_view class_word(const Identity& identity);
std::string_view neutral_class_word(const Identity& identity);  // "person" or "child".

// The traits in their order, then a one-hot for each of sex, age, hair style, hair colour, fringe, eye colour, nose,
// beard, glasses, colour of the glasses, mark, accessory, colour of the accessory. The colours of glasses and of an
// accessory that nobody sees are all zero.
inline constexpr int kIdentityCodeLength = kTraits + kSexes + kAges + kHairStyles + kHairColours + kFringes +
                                           kEyeColours + kNoseShapes + kBeards + kGlasses + kAccentColours + kMarks +
                                           kAccessories + kAccentColours;
std::vector<float> identity_code(const Identity& identity);
std::vector<float> identity_code(std::uint64_t seed);

// One part of the code: `size` numbers from `begin`. Traits are one block of `size` kTraits; all others are one-hots.
struct CodeBlock {
    std::string_view name;
    int begin = 0;
    int size = 0;
};
const std::vector<CodeBlock>& identity_code_blocks();

// Which people a model may see. The judge's people are for networks that score the result; validation is for watching a
// run, test for the published figures.
enum class Split { Train, Judge, Validation, Test };

Split split_of(std::uint64_t identity_seed);

// The identity seed number `index` of a split; no two splits share one. 11, 3, 1 and 1 of 16 consecutive seeds.
std::uint64_t identity_seed(Split split, std::uint64_t index);

}  // namespace mirror::people
