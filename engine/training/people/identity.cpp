#include "engine/training/people/identity.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "engine/training/people/random.h"

namespace mirror::people {

namespace {

// Spread out so that two people differ clearly: the ends of a trait are as likely as its middle.
double random_trait(Random& random) { return random.uniform(-1, 1); }

HairStyle random_hair_style(Random& random, const Identity& identity) {
    //                                        bald buzz side quiff curly bob long tail bun pigtails
    static constexpr double kMen[kHairStyles] = {2, 2, 3, 3, 2.5, 0.4, 0.8, 0.3, 0.5, 0};
    static constexpr double kBoys[kHairStyles] = {0, 1.5, 3, 3, 3, 0.8, 0.2, 0, 0, 0};
    static constexpr double kOldMen[kHairStyles] = {4, 1.5, 3, 1, 2, 0, 0.4, 0.2, 0, 0};
    static constexpr double kWomen[kHairStyles] = {0, 0.2, 0.7, 0.3, 2.5, 3, 3, 2.5, 2.5, 0.7};
    static constexpr double kGirls[kHairStyles] = {0, 0, 0.2, 0.1, 2, 2.5, 2.5, 2.5, 1.5, 3.5};
    if (identity.sex == Sex::Female)
        return static_cast<HairStyle>(random.weighted(identity.age == Age::Child ? kGirls : kWomen));
    if (identity.age == Age::Adult) return static_cast<HairStyle>(random.weighted(kMen));
    return static_cast<HairStyle>(random.weighted(identity.age == Age::Child ? kBoys : kOldMen));
}

HairColour random_hair_colour(Random& random, Age age) {
    static constexpr double kYoung[kHairColours] = {2, 2, 2, 2.2, 2.2, 0.2, 0.2, 0.8, 0.8};
    static constexpr double kOld[kHairColours] = {0.2, 0.2, 0.2, 0.2, 0.2, 3, 3, 0.3, 0.3};
    return static_cast<HairColour>(random.weighted(age == Age::Elder ? kOld : kYoung));
}

Fringe random_fringe(Random& random, HairStyle style) {
    if (style == HairStyle::Bald || style == HairStyle::Buzz || style == HairStyle::Quiff) return Fringe::None;
    static constexpr double kFree[kFringes] = {2, 2, 2};
    return static_cast<Fringe>(random.weighted(kFree));
}

Beard random_beard(Random& random, const Identity& identity) {
    if (identity.sex == Sex::Female || identity.age == Age::Child) return Beard::None;
    static constexpr double kMen[kBeards] = {3, 1.5, 1.5, 2.5, 1};
    return static_cast<Beard>(random.weighted(kMen));
}

Accessory random_accessory(Random& random, Sex sex) {
    static constexpr double kMale[kAccessories] = {6, 1.5, 1.5, 0.7, 0.3, 0};
    static constexpr double kFemale[kAccessories] = {4.5, 1, 0.6, 1.4, 2, 1.6};
    return static_cast<Accessory>(random.weighted(sex == Sex::Male ? kMale : kFemale));
}

void append_one_hot(std::vector<float>& code, int index, int size, bool present = true) {
    for (int entry = 0; entry < size; ++entry) code.push_back(present && entry == index ? 1.0f : 0.0f);
}

constexpr int kSeedsPerRound = 16;

struct SeedRange {
    int first;
    int count;
};

SeedRange range_of(Split split) {
    switch (split) {
        case Split::Train:
            return {0, 11};
        case Split::Judge:
            return {11, 3};
        case Split::Validation:
            return {14, 1};
        case Split::Test:
            return {15, 1};
    }
    return {0, 11};
}

}  // namespace

Identity identity_of(std::uint64_t seed) {
    static constexpr double kAgeWeights[kAges] = {2, 5, 2};
    static constexpr double kGlassesWeights[kGlasses] = {7, 1.6, 1.6, 1};
    static constexpr double kMarkWeights[kMarks] = {5, 2, 1.5, 1.5, 0.8};
    Random random(seed, 1);
    Identity identity;
    identity.seed = seed;
    identity.sex = random.any<Sex>(kSexes);
    identity.age = static_cast<Age>(random.weighted(kAgeWeights));
    for (double& trait : identity.traits) trait = random_trait(random);
    identity.hair_style = random_hair_style(random, identity);
    identity.hair_colour = random_hair_colour(random, identity.age);
    identity.fringe = random_fringe(random, identity.hair_style);
    identity.eye_colour = random.any<EyeColour>(kEyeColours);
    identity.nose_shape = random.any<NoseShape>(kNoseShapes);
    identity.beard = random_beard(random, identity);
    identity.glasses = static_cast<Glasses>(random.weighted(kGlassesWeights));
    if (identity.glasses == Glasses::CatEye && identity.sex == Sex::Male) identity.glasses = Glasses::Square;
    identity.glasses_colour = random.any<AccentColour>(kAccentColours);
    identity.mark = static_cast<Mark>(random.weighted(kMarkWeights));
    identity.accessory = random_accessory(random, identity.sex);
    identity.accessory_colour = random.any<AccentColour>(kAccentColours);
    // A flower needs hair, and a bun or a quiff would stand through a hat.
    const bool has_hat = identity.accessory == Accessory::Beanie || identity.accessory == Accessory::Cap;
    if (has_hat && (identity.hair_style == HairStyle::Bun || identity.hair_style == HairStyle::Quiff))
        identity.accessory = Accessory::None;
    if (identity.accessory == Accessory::Flower && identity.hair_style == HairStyle::Buzz)
        identity.accessory = Accessory::Earrings;
    return identity;
}

std::string_view class_word(const Identity& identity) {
    const bool child = identity.age == Age::Child;
    if (identity.sex == Sex::Male) return child ? "boy" : "man";
    return child ? "girl" : "woman";
}

std::string_view neutral_class_word(const Identity& identity) {
    return identity.age == Age::Child ? "child" : "person";
}

const std::vector<CodeBlock>& identity_code_blocks() {
    static const std::vector<CodeBlock> blocks = [] {
        const std::initializer_list<std::pair<std::string_view, int>> sizes = {{"traits", kTraits},
                                                                               {"sex", kSexes},
                                                                               {"age", kAges},
                                                                               {"hair style", kHairStyles},
                                                                               {"hair colour", kHairColours},
                                                                               {"fringe", kFringes},
                                                                               {"eye colour", kEyeColours},
                                                                               {"nose shape", kNoseShapes},
                                                                               {"beard", kBeards},
                                                                               {"glasses", kGlasses},
                                                                               {"glasses colour", kAccentColours},
                                                                               {"mark", kMarks},
                                                                               {"accessory", kAccessories},
                                                                               {"accessory colour", kAccentColours}};
        std::vector<CodeBlock> made;
        int begin = 0;
        for (const auto& [name, size] : sizes) {
            made.push_back({name, begin, size});
            begin += size;
        }
        return made;
    }();
    return blocks;
}

std::vector<float> identity_code(const Identity& identity) {
    std::vector<float> code;
    code.reserve(kIdentityCodeLength);
    for (const double trait : identity.traits) code.push_back(static_cast<float>(trait));
    append_one_hot(code, static_cast<int>(identity.sex), kSexes);
    append_one_hot(code, static_cast<int>(identity.age), kAges);
    append_one_hot(code, static_cast<int>(identity.hair_style), kHairStyles);
    append_one_hot(code, static_cast<int>(identity.hair_colour), kHairColours);
    append_one_hot(code, static_cast<int>(identity.fringe), kFringes);
    append_one_hot(code, static_cast<int>(identity.eye_colour), kEyeColours);
    append_one_hot(code, static_cast<int>(identity.nose_shape), kNoseShapes);
    append_one_hot(code, static_cast<int>(identity.beard), kBeards);
    append_one_hot(code, static_cast<int>(identity.glasses), kGlasses);
    append_one_hot(code, static_cast<int>(identity.glasses_colour), kAccentColours, identity.glasses != Glasses::None);
    append_one_hot(code, static_cast<int>(identity.mark), kMarks);
    append_one_hot(code, static_cast<int>(identity.accessory), kAccessories);
    append_one_hot(code, static_cast<int>(identity.accessory_colour), kAccentColours,
                   identity.accessory != Accessory::None);
    return code;
}

std::vector<float> identity_code(std::uint64_t seed) { return identity_code(identity_of(seed)); }

Split split_of(std::uint64_t identity_seed) {
    const int place = static_cast<int>(identity_seed % kSeedsPerRound);
    for (const Split split : {Split::Train, Split::Judge, Split::Validation}) {
        if (place < range_of(split).first + range_of(split).count) return split;
    }
    return Split::Test;
}

std::uint64_t identity_seed(Split split, std::uint64_t index) {
    const SeedRange range = range_of(split);
    const auto count = static_cast<std::uint64_t>(range.count);
    return index / count * kSeedsPerRound + static_cast<std::uint64_t>(range.first) + index % count;
}

}  // namespace mirror::people
