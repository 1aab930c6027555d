// The plan of the proof and what is worked out from judged clips.

#include <gtest/gtest.h>

#include <set>

#include "engine/training/people/caption.h"
#include "tests/proof/clip_maker.h"
#include "tests/proof/proof_plan.h"
#include "tests/proof/proof_report.h"
#include "tests/proof/proof_scores.h"

namespace mirror::proof {
namespace {

const VideoSpec kVideo{96, 96, 17, {8, 1}};

std::vector<ProofClip> group(const std::vector<ProofClip>& plan, const std::string& name) {
    std::vector<ProofClip> clips;
    for (const ProofClip& clip : plan)
        if (clip.group == name) clips.push_back(clip);
    return clips;
}

TEST(Plan, ShowsEveryPersonTwice) {
    const auto plan = proof_plan({kVideo, {}});
    const auto on = group(plan, "on"), off = group(plan, "off"), real = group(plan, "real");
    ASSERT_EQ(on.size(), 128u);
    ASSERT_EQ(off.size(), 128u);
    std::set<std::uint64_t> people;
    std::set<std::string> names;
    for (std::size_t i = 0; i < on.size(); ++i) {
        EXPECT_EQ(people::split_of(on[i].scene.identity.seed), people::Split::Test);
        people.insert(on[i].scene.identity.seed);
        names.insert(on[i].name);
        // The same scene and noise everywhere; the trigger where there is a person.
        EXPECT_EQ(on[i].seed, off[i].seed);
        EXPECT_EQ(on[i].scene.action, real[i].scene.action);
        EXPECT_NE(on[i].prompt.find(" img"), std::string::npos) << on[i].prompt;
        EXPECT_EQ(off[i].prompt.find(" img"), std::string::npos) << off[i].prompt;
        const auto labels = people::labels_of_text(on[i].prompt);
        EXPECT_EQ(labels.action, on[i].scene.action) << on[i].prompt;
        EXPECT_EQ(labels.place, on[i].scene.place) << on[i].prompt;
        EXPECT_FALSE(people::is_held_out(on[i].scene.action, on[i].scene.place));
    }
    EXPECT_EQ(people.size(), 64u);
    EXPECT_EQ(names.size(), 128u);
}

TEST(Plan, HasStrengthsStylesAndHeldOutPairs) {
    const auto plan = proof_plan({kVideo, {}});
    for (const char* strength : {"0.00", "0.25", "0.50", "0.75", "1.00", "1.25"})
        EXPECT_EQ(group(plan, std::string("strength-") + strength).size(), 16u);
    const auto styles = group(plan, "styles");
    EXPECT_EQ(styles.size(), 32u);
    for (const ProofClip& clip : styles) {
        if (clip.scene.style == people::Style::Cartoon) continue;
        EXPECT_EQ(people::labels_of_text(clip.prompt).style, clip.scene.style) << clip.prompt;
    }
    for (const ProofClip& clip : group(plan, "held-out"))
        EXPECT_TRUE(people::is_held_out(clip.scene.action, clip.scene.place));
    const auto quick = proof_plan({kVideo, 2});
    for (const ProofClip& clip : quick) EXPECT_LE(group(quick, clip.group).size(), 2u);
}

TEST(Clips, AreKeptAsOnePicture) {
    people::SceneRequest scene;
    scene.frames = 3;
    scene.width = scene.height = 32;
    const auto frames = drawn_frames(scene);
    const auto again = unstacked(stacked(frames), 32);
    ASSERT_EQ(again.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again[i].rgb, frames[i].rgb);
}

JudgedClip judged(int person, int rank, bool right_action, std::vector<float> identity) {
    JudgedClip clip;
    clip.plan.group = "on";
    clip.plan.person = person;
    clip.rank = rank;
    clip.plan.scene.action = people::Action::Nod;
    clip.action = right_action ? people::Action::Nod : people::Action::Shake;
    clip.place = clip.plan.scene.place;
    clip.identity = std::move(identity);
    return clip;
}

TEST(Scores, CompareDifferentFramesOfAShot) {
    JudgedClip clip = judged(0, 0, true, {0.5, 0.5});  // The mean of (1, 0) and (0, 1).
    clip.frames = 2;
    EXPECT_NEAR(similarity_within(clip), 0, 1e-9);
    clip.identity = {1, 0};
    EXPECT_NEAR(similarity_within(clip), 1, 1e-9);
}

TEST(Scores, AreSharesOfTheGroup) {
    std::vector<JudgedClip> clips = {judged(0, 0, true, {1, 0}), judged(0, 3, false, {0, 1}),
                                     judged(1, 7, true, {1, 0}), judged(1, 0, true, {1, 0})};
    JudgedClip other = judged(0, 9, false, {0, 1});
    other.plan.group = "off";
    clips.push_back(other);
    const GroupScores scores = scores_of_group("on", clips);
    EXPECT_EQ(scores.clips, 4);
    EXPECT_EQ(scores.top_1, 0.5);
    EXPECT_EQ(scores.top_5, 0.75);
    EXPECT_EQ(scores.action, 0.75);
    EXPECT_EQ(scores.place, 1.0);
    EXPECT_EQ(scores.prompt(), 0.875);
    EXPECT_NEAR(*similarity_across_shots("on", clips), 0.5, 1e-9);  // Person 0: 0, person 1: 1.
    const std::string table = report_markdown({}, clips);
    EXPECT_NE(table.find("| adapter on | 4 | 50.0 % | 75.0 % | 75.0 % | 100.0 % |"), std::string::npos) << table;
}

}  // namespace
}  // namespace mirror::proof
