// The judge at its smallest size: it trains, learns, is saved, and opens again.

#include "engine/training/judge.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/result.h"
#include "engine/training/drawn_data.h"
#include "engine/training/judge_data.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/tiny_recipes.h"

namespace mirror::engine::training {
namespace {

TinyRun tiny_judge(const std::filesystem::path& output) {
    TinyRun run;
    run.stage = "judge";
    run.output = output;
    run.samples = 160;
    run.batch = 16;
    run.rate = 3e-3;
    run.data = R"({"people": 3, "frames": 4, "pictures_per_clip": 8, "spoil": 0.2})";
    run.model = R"({"id_dim": 16, "width": 8, "frame_width": 8})";
    return run;
}

double mean_of(const Watched& watched, const std::string& name, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i)
        for (const auto& [key, value] : watched.progress.at(i).measures)
            if (key == name) sum += value;
    return sum / static_cast<double>(end - begin);
}

std::vector<Frame> frames_of(const people::SceneRequest& scene) {
    std::vector<Frame> frames;
    for (int i = 0; i < scene.frames; ++i) frames.push_back(people::render_frame(scene, i));
    return frames;
}

TEST(Judge, LearnsAndOpensAgain) {
    const testing::ScratchFolder folder;
    const TinyRun run = tiny_judge(folder.path() / "judge");
    Watched watched;
    const TrainingReport report = train(run.recipe(), {}, watched.observer());
    EXPECT_TRUE(report.finished);
    for (const char* name : {"held_out_top_1_of_64", "held_out_action", "held_out_face_pixels"}) {
        const auto found = std::find_if(report.evaluation.begin(), report.evaluation.end(),
                                        [&](const auto& measure) { return measure.first == name; });
        EXPECT_NE(found, report.evaluation.end()) << name;
    }
    EXPECT_LT(mean_of(watched, "code", 7, 10), mean_of(watched, "code", 0, 3));
    EXPECT_LT(mean_of(watched, "place", 7, 10), mean_of(watched, "place", 0, 3));
    EXPECT_LT(mean_of(watched, "face", 7, 10), mean_of(watched, "face", 0, 3));

    const Judge judge = Judge::open(run.output);
    people::SceneRequest scene;
    scene.identity = people::identity_of(people::identity_seed(people::Split::Test, 1));
    scene.frames = 5;
    scene.width = scene.height = 128;
    const std::vector<Frame> frames = frames_of(scene);
    const Verdict verdict = judge.look_at(frames), again = judge.look_at(frames);
    EXPECT_EQ(verdict.identity.numel(), 16);
    EXPECT_NEAR(verdict.identity.norm().item<double>(), 1, 1e-5);
    EXPECT_EQ(verdict.faces.size(), 5u);
    EXPECT_TRUE(verdict.identity.equal(again.identity));
    EXPECT_THROW(judge.look_at({}), EngineError);
}

TEST(Judge, NamesWhatItsFolderLacks) {
    const testing::ScratchFolder folder;
    try {
        static_cast<void>(Judge::open(folder.path()));
        FAIL() << "opened nothing";
    } catch (const EngineError& error) {
        EXPECT_NE(std::string(error.what()).find("config.json"), std::string::npos) << error.what();
    }
}

TEST(JudgeData, IsTheSameEveryTimeAndOfItsOwnPeople) {
    JudgeData data;
    data.people = 50;
    data.frames = 3;
    const BatchPlace place{4, 20, 10};
    const JudgePictures once = judge_pictures(data, people::Split::Judge, place);
    EXPECT_TRUE(once.pictures.equal(judge_pictures(data, people::Split::Judge, place).pictures));
    EXPECT_FALSE(once.codes.equal(judge_pictures(data, people::Split::Train, place).codes));
    const JudgeClips clips = judge_clips(data, people::Split::Judge, place);
    EXPECT_EQ(clips.clips.size(0), 2);  // Samples 20 and 25.
    // A batch in two parts has the same clips.
    const at::Tensor first = judge_clips(data, people::Split::Judge, {4, 20, 3}).clips;
    const at::Tensor second = judge_clips(data, people::Split::Judge, {4, 23, 7}).clips;
    EXPECT_TRUE(at::cat({first, second}).equal(clips.clips));
}

TEST(JudgeData, CropsAreTheFace) {
    // A white square in a black picture, and its box.
    at::Tensor picture = at::full({1, 3, 96, 96}, -1.0);
    picture.narrow(2, 24, 36).narrow(3, 36, 36).fill_(1.0);
    const at::Tensor box = at::tensor({36.0f, 24.0f, 72.0f, 60.0f}).div(96).unsqueeze(0);
    const at::Tensor crop = face_crops(picture, box)[0][0];
    // The side is 1.5 boxes: the square fills the middle two thirds of the 64 pixels.
    EXPECT_EQ(crop[32][32].item<float>(), 1.0f);
    EXPECT_EQ(crop[5][32].item<float>(), -1.0f);
    EXPECT_NEAR(crop.add(1).div(2).mean().item<double>(), 4.0 / 9, 0.01);
}

TEST(JudgeData, SpoilsALittle) {
    people::SceneRequest scene;
    scene.frames = 2;
    const at::Tensor clean = to_signal(draw(scene).pixels).permute({1, 0, 2, 3});
    RandomStream random(1, Purpose::Sample, 0);
    EXPECT_TRUE(spoiled(clean, 0, random).equal(clean));
    const double change = (spoiled(clean, 1.0, random) - clean).abs().mean().item<double>();
    EXPECT_GT(change, 0.005);
    EXPECT_LT(change, 0.2);
}

}  // namespace
}  // namespace mirror::engine::training
