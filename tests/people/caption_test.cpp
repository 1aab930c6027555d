#include "engine/training/people/caption.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace mirror::people {
namespace {

std::vector<std::string> words_in(std::string text) {
    for (char& character : text) {
        if (character == ',') character = ' ';
    }
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

CaptionOptions options_of(std::uint64_t seed) {
    CaptionOptions options;
    options.seed = seed;
    options.length = static_cast<CaptionLength>(seed % 3);
    options.trigger = seed % 2 == 0;
    options.looks = seed % 5 == 0;
    return options;
}

TEST(Caption, IsAFunctionOfSceneAndSeed) {
    const SceneRequest scene = random_scene(1, Split::Train);
    CaptionOptions options;
    EXPECT_EQ(caption(scene, options), caption(scene, options));
    std::set<std::string> different;
    for (options.seed = 0; options.seed < 100; ++options.seed) different.insert(caption(scene, options));
    EXPECT_GT(different.size(), 60u);
}

TEST(Caption, UsesOnlyItsOwnWords) {
    const std::vector<std::string> known = caption_words();
    EXPECT_TRUE(std::is_sorted(known.begin(), known.end()));
    EXPECT_GT(known.size(), 200u);
    for (std::uint64_t seed = 0; seed < 1500; ++seed) {
        SceneRequest scene = random_scene(seed, Split::Train);
        scene.portrait = seed % 7 == 0;
        const std::string text = caption(scene, options_of(seed));
        for (const std::string& word : words_in(text))
            ASSERT_TRUE(std::binary_search(known.begin(), known.end(), word)) << word << " in: " << text;
    }
}

TEST(Caption, SaysWhatTheSceneShows) {
    for (std::uint64_t seed = 0; seed < 1500; ++seed) {
        SceneOptions mixed;
        mixed.other_style_share = 0.25;
        mixed.moving_camera_share = 0.8;
        const SceneRequest scene = random_scene(seed, Split::Train, mixed);
        CaptionOptions options = options_of(seed);
        options.length = CaptionLength::Long;
        const std::string text = caption(scene, options);
        const SceneLabels labels = labels_of_text(text);
        ASSERT_TRUE(labels.class_word == class_word(scene.identity) ||
                    labels.class_word == neutral_class_word(scene.identity))
            << text;
        ASSERT_EQ(labels.action, scene.action) << text;
        ASSERT_EQ(labels.place, scene.place) << text;
        ASSERT_EQ(labels.garment, scene.garment) << text;
        ASSERT_EQ(labels.colour, scene.colour) << text;
        ASSERT_EQ(labels.style, scene.style) << text;
        ASSERT_EQ(labels.trigger, options.trigger) << text;
        if (scene.camera != Camera::Still) {
            ASSERT_EQ(labels.camera, scene.camera) << text;
        }
    }
}

TEST(Caption, AShortOneHasPersonActionAndPlace) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        SceneOptions plain;
        plain.other_style_share = 0;
        const SceneRequest scene = random_scene(seed, Split::Train, plain);
        CaptionOptions options{seed, CaptionLength::Short, false, false};
        const SceneLabels labels = labels_of_text(caption(scene, options));
        EXPECT_EQ(labels.action, scene.action);
        EXPECT_EQ(labels.place, scene.place);
        EXPECT_FALSE(labels.garment || labels.style || labels.camera || labels.trigger);
    }
}

TEST(Caption, NamesEveryUnusualStyle) {
    SceneRequest scene = random_scene(2, Split::Train);
    scene.style = Style::Neon;
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        EXPECT_EQ(labels_of_text(caption(scene, {seed, CaptionLength::Short, false, false})).style, Style::Neon);
}

TEST(Caption, PutsTheTriggerBehindTheClassWord) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const SceneRequest scene = random_scene(seed, Split::Train);
        const auto words = words_in(caption(scene, {seed, CaptionLength::Any, true, seed % 2 == 0}));
        const auto trigger = std::find(words.begin(), words.end(), "img");
        ASSERT_TRUE(trigger != words.begin() && trigger != words.end());
        EXPECT_TRUE(*(trigger - 1) == class_word(scene.identity) ||
                    *(trigger - 1) == neutral_class_word(scene.identity));
        EXPECT_EQ(std::count(words.begin(), words.end(), "img"), 1);
    }
}

TEST(Caption, LooksAreToldOnlyWhenAskedFor) {
    const std::set<std::string> looks = {"hair", "skin", "eyes", "glasses", "beard", "freckles", "beanie", "bald"};
    const auto tells = [&](const SceneRequest& scene, bool asked, std::uint64_t seed) {
        const auto words = words_in(caption(scene, {seed, CaptionLength::Short, false, asked}));
        return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return looks.contains(word); });
    };
    int told = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        SceneRequest scene = random_scene(seed, Split::Train);
        scene.action = Action::Smile;
        EXPECT_FALSE(tells(scene, false, seed));
        told += tells(scene, true, seed);
    }
    EXPECT_GT(told, 250);
}

TEST(LabelsOfText, ReadWhatPeopleType) {
    const SceneLabels labels =
        labels_of_text("A Man img WAVES on a sunny beach. He wears a blue hoodie; zoom-in, neon style");
    EXPECT_EQ(labels.class_word, "man");
    EXPECT_EQ(labels.action, Action::Wave);
    EXPECT_EQ(labels.place, Place::Beach);
    EXPECT_EQ(labels.garment, Garment::Hoodie);
    EXPECT_EQ(labels.colour, GarmentColour::Blue);
    EXPECT_EQ(labels.style, Style::Neon);
    EXPECT_TRUE(labels.trigger);
}

TEST(LabelsOfText, AreEmptyWhereNothingOrSeveralThingsAreSaid) {
    const SceneLabels none = labels_of_text("a cat on a table");
    EXPECT_FALSE(none.class_word || none.action || none.place || none.garment || none.colour || none.style ||
                 none.camera || none.trigger);
    const SceneLabels several = labels_of_text("a man and a woman nodding and waving");
    EXPECT_FALSE(several.class_word || several.action);
    EXPECT_FALSE(labels_of_text("").action);
}

}  // namespace
}  // namespace mirror::people
