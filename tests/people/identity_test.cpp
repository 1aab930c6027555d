#include "engine/training/people/identity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "engine/training/people/people.h"

namespace mirror::people {
namespace {

constexpr std::array kSplits = {Split::Train, Split::Judge, Split::Validation, Split::Test};

TEST(Identity, IsAFunctionOfTheSeed) {
    EXPECT_EQ(identity_of(7), identity_of(7));
    EXPECT_FALSE(identity_of(7) == identity_of(8));
}

TEST(Identity, HasAtLeastTwentyFourParameters) { EXPECT_GE(identity_code_blocks().size() - 1 + kTraits, 24u); }

TEST(Identity, TheCodeIsItsBlocksInOrder) {
    int end = 0;
    for (const CodeBlock& block : identity_code_blocks()) {
        EXPECT_EQ(block.begin, end) << block.name;
        end += block.size;
    }
    EXPECT_EQ(end, kIdentityCodeLength);
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        const auto code = identity_code(seed);
        ASSERT_EQ(static_cast<int>(code.size()), kIdentityCodeLength);
        for (const CodeBlock& block : identity_code_blocks()) {
            if (block.name == "traits") continue;
            const auto from = code.begin() + block.begin;
            const float sum = std::accumulate(from, from + block.size, 0.0f);
            const bool may_be_empty = block.name == "glasses colour" || block.name == "accessory colour";
            EXPECT_TRUE(sum == 1.0f || (may_be_empty && sum == 0.0f)) << block.name << " of " << seed;
        }
        for (int index = 0; index < kTraits; ++index) EXPECT_LE(std::abs(code[static_cast<std::size_t>(index)]), 1.0f);
    }
}

TEST(Identity, EveryLookOccurs) {
    std::vector<float> sum(kIdentityCodeLength);
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        const auto code = identity_code(seed);
        for (std::size_t index = kTraits; index < code.size(); ++index) sum[index] += code[index];
    }
    for (std::size_t index = kTraits; index < sum.size(); ++index) EXPECT_GE(sum[index], 40) << index;
}

TEST(Identity, NobodyWearsWhatCannotBe) {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        const Identity person = identity_of(seed);
        if (person.sex == Sex::Female || person.age == Age::Child) {
            EXPECT_EQ(person.beard, Beard::None);
        }
        if (person.accessory == Accessory::Beanie || person.accessory == Accessory::Cap) {
            EXPECT_NE(person.hair_style, HairStyle::Bun);
        }
    }
}

TEST(Identity, PeopleDifferInSeveralLooks) {
    // Of 200 x 200 pairs, none may look the same but for the traits.
    std::vector<std::vector<float>> codes;
    for (std::uint64_t index = 0; index < 200; ++index)
        codes.push_back(identity_code(identity_seed(Split::Test, index)));
    double sum = 0;
    int pairs = 0;
    for (std::size_t a = 0; a < codes.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
            double looks = 0, traits = 0;
            for (std::size_t index = 0; index < codes[a].size(); ++index) {
                const double difference = codes[a][index] - codes[b][index];
                (index < kTraits ? traits : looks) += difference * difference;
            }
            EXPECT_GT(looks + traits, 4) << a << " and " << b;
            sum += looks;
            ++pairs;
        }
    }
    EXPECT_GT(sum / pairs, 10);  // Two for each look that differs: at least five looks on average.
}

TEST(Splits, ShareNobody) {
    std::set<std::uint64_t> seen;
    for (const Split split : kSplits) {
        for (std::uint64_t index = 0; index < 2000; ++index) {
            const std::uint64_t seed = identity_seed(split, index);
            EXPECT_EQ(split_of(seed), split);
            EXPECT_TRUE(seen.insert(seed).second);
        }
    }
}

TEST(Splits, CoverEverySeed) {
    std::array<int, 4> counts{};
    for (std::uint64_t seed = 0; seed < 1600; ++seed) ++counts[static_cast<std::size_t>(split_of(seed))];
    EXPECT_EQ(counts, (std::array<int, 4>{1100, 300, 100, 100}));
}

TEST(HeldOutCombinations, AreOneOfEachActionAndEachPlace) {
    std::array<int, kPlaces> places{};
    for (int action = 0; action < kActions; ++action) {
        int held_out = 0;
        for (int place = 0; place < kPlaces; ++place) {
            if (!is_held_out(static_cast<Action>(action), static_cast<Place>(place))) continue;
            ++held_out;
            ++places[static_cast<std::size_t>(place)];
        }
        EXPECT_EQ(held_out, 1) << action;
    }
    for (const int count : places) EXPECT_EQ(count, 1);
}

TEST(HeldOutCombinations, AreNeverInScenesThatAreSeen) {
    SceneOptions seen, held_out;
    held_out.combinations = Combinations::HeldOut;
    std::set<std::pair<Action, Place>> pairs;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        const SceneRequest scene = random_scene(seed, Split::Train, seen);
        EXPECT_FALSE(is_held_out(scene.action, scene.place));
        EXPECT_EQ(split_of(scene.identity.seed), Split::Train);
        pairs.insert({scene.action, scene.place});
        const SceneRequest other = random_scene(seed, Split::Test, held_out);
        EXPECT_TRUE(is_held_out(other.action, other.place));
        EXPECT_EQ(split_of(other.identity.seed), Split::Test);
    }
    EXPECT_EQ(pairs.size(), 90u);
}

TEST(ReferencePortrait, ShowsTheSamePersonOtherwise) {
    const std::uint64_t person = identity_seed(Split::Train, 3);
    const SceneRequest a = reference_portrait(person, 1), b = reference_portrait(person, 2);
    EXPECT_EQ(a.identity, b.identity);
    EXPECT_TRUE(a.portrait);
    EXPECT_NE(a.seed, b.seed);
}

}  // namespace
}  // namespace mirror::people
