// Several shots become one video: with a session that only counts for the rules, with the real one for the rest.

#include "engine/session/story.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/session/session_fixture.h"

namespace mirror::engine::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Frames of one grey each: the seed of the shot.
class GreySession : public Session {
public:
    Result<GenerationRequest> prepare(const GenerationRequest& request, const Observer&, std::stop_token) override {
        if (!asked.empty()) return Error{ErrorCode::Internal, "prepared too late"};
        if (request.sampling.seed == refuses) return Error{ErrorCode::OutOfMemory, "too large"};
        GenerationRequest ready = request;
        ready.decoding = decoding;
        return ready;
    }
    Result<GenerationReport> generate(const GenerationRequest& request, const RunFiles&, VideoSink& sink,
                                      const Observer& observer, std::stop_token stop) override {
        asked.push_back(request);
        if (observer.tell) observer.tell(Progress{Stage::Denoise, 1, 2, 4.0});
        if (request.sampling.seed == fails_at) return Error{ErrorCode::NoFaceFound, "there is no face in 'x.jpg'"};
        if (stop.stop_requested()) return Error{ErrorCode::Cancelled, "stopped by the user"};
        sink.begin(request.video, request_to_json(request));
        Frame frame{request.video.width, request.video.height, {}};
        frame.rgb.assign(static_cast<std::size_t>(frame.width) * frame.height * 3,
                         static_cast<std::uint8_t>(request.sampling.seed));
        for (int i = 0; i < request.video.frames; ++i) sink.write(frame);
        sink.finish();
        GenerationReport report;
        report.latents = "/kept/clip-" + std::to_string(request.sampling.seed) + ".safetensors";
        return report;
    }
    Result<GenerationReport> decode(const std::filesystem::path&, const std::filesystem::path&, const std::string&,
                                    Precision, VideoSink&, const Observer&, std::stop_token) override {
        return GenerationReport{};
    }
    void release_memory() override {}

    std::vector<GenerationRequest> asked;
    std::uint64_t fails_at = 0;
    std::uint64_t refuses = 0;
    Decoding decoding = Decoding::Whole;
};

Story three_shots() {
    Story story{"Three", {}};
    for (const int seed : {3, 5, 7}) {
        GenerationRequest shot;
        shot.model = "model";
        shot.prompt.positive = "shot " + std::to_string(seed);
        shot.video = {32, 32, seed == 5 ? 17 : 9, {8, 1}};
        shot.sampling.seed = static_cast<std::uint64_t>(seed);
        shot.references = {{"anna.jpg", {}}};
        story.shots.push_back(shot);
    }
    return story;
}

std::vector<int> greys(const MemorySink& sink) {
    std::vector<int> values;
    for (const auto& frame : sink.frames)
        if (values.empty() || values.back() != frame.front()) values.push_back(frame.front());
    return values;
}

}  // namespace

TEST(Story, ShotsFollowOneAnotherInOneVideo) {
    GreySession session;
    MemorySink sink;
    const auto told = tell_story(session, three_shots(), sink, {}, {});
    ASSERT_TRUE(told) << told.error().detail;
    EXPECT_EQ(told.value().frames, 35);
    EXPECT_EQ(told.value().shots.size(), 3u);
    EXPECT_TRUE(sink.finished);
    EXPECT_EQ(sink.spec.frames, 35);
    EXPECT_EQ(sink.frames.size(), 35u);
    EXPECT_THAT(greys(sink), ElementsAre(3, 5, 7));
    EXPECT_EQ(session.asked, three_shots().shots);
}

TEST(Story, TheRecipeHoldsEveryShot) {
    GreySession session;
    MemorySink sink;
    ASSERT_TRUE(tell_story(session, three_shots(), sink, {}, {}));
    const auto recipe = nlohmann::json::parse(sink.recipe);
    EXPECT_EQ(recipe["kind"], "story");
    EXPECT_EQ(recipe["version"], 1);
    ASSERT_EQ(recipe["shots"].size(), 3u);
    EXPECT_EQ(request_from_json(recipe["shots"][1].dump()).value(), three_shots().shots[1]);
}

TEST(Story, EveryShotMayHaveATakeOfItsOwn) {
    GreySession session;
    MemorySink sink;
    std::vector<int> asked;
    StoryOptions options;
    options.takes = [&](int shot) {
        asked.push_back(shot);
        return shot == 2 ? nullptr : std::make_unique<MemorySink>();
    };
    ASSERT_TRUE(tell_story(session, three_shots(), sink, options, {}));
    EXPECT_THAT(asked, ElementsAre(1, 2, 3));
    EXPECT_EQ(sink.frames.size(), 35u);
}

TEST(Story, ProgressSaysTheShotAndWhatIsLeftOfTheWhole) {
    GreySession session;
    MemorySink sink;
    std::vector<int> shots;
    std::vector<double> left;
    StoryOptions options;
    options.tell = [&](int shot, const ProgressEvent& event) {
        shots.push_back(shot);
        left.push_back(std::get<Progress>(event).seconds_left);
    };
    ASSERT_TRUE(tell_story(session, three_shots(), sink, options, {}));
    EXPECT_THAT(shots, ElementsAre(1, 2, 3));
    EXPECT_NEAR(left[0], 4 + 4.0 / 9 * 26, 0.5);  // 26 more frames at the speed of these 9.
    EXPECT_GT(left[1], 4);
    EXPECT_NEAR(left[2], 4, 1e-9);
}

TEST(Story, AFailureNamesTheShotAndLeavesNoVideo) {
    GreySession session;
    session.fails_at = 5;
    MemorySink sink;
    const auto told = tell_story(session, three_shots(), sink, {}, {});
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, ErrorCode::NoFaceFound);
    EXPECT_THAT(told.error().detail, HasSubstr("shot 2: there is no face"));
    EXPECT_THAT(told.error().detail, HasSubstr("'/kept': clip-3.safetensors"));
    EXPECT_FALSE(sink.finished);
    EXPECT_EQ(session.asked.size(), 2u);
}

TEST(Story, ALongStorysFailureIsStillOneLine) {
    GreySession session;
    session.fails_at = 99;
    Story story = three_shots();
    for (int i = 0; i < 40; ++i) story.shots.push_back(story.shots[0]);
    story.shots.push_back(story.shots[0]);
    story.shots.back().sampling.seed = 99;
    MemorySink sink;
    const auto told = tell_story(session, story, sink, {}, {});
    ASSERT_FALSE(told);
    EXPECT_LT(told.error().detail.size(), 300u) << told.error().detail;
    EXPECT_THAT(told.error().detail, HasSubstr("more"));
}

TEST(Story, EveryShotIsPreparedBeforeTheFirstIsMade) {
    GreySession refusing, tiling;
    refusing.refuses = 7;
    MemorySink sink, tiled;
    const auto told = tell_story(refusing, three_shots(), sink, {}, {});
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().detail, "shot 3: too large");
    EXPECT_TRUE(refusing.asked.empty());

    tiling.decoding = Decoding::Tiles;
    ASSERT_TRUE(tell_story(tiling, three_shots(), tiled, {}, {}));
    EXPECT_EQ(nlohmann::json::parse(tiled.recipe)["shots"][2]["decoding"], "tiles");
    EXPECT_EQ(tiling.asked[2].decoding, Decoding::Tiles);  // And so it is made.
}

TEST(Story, AStopEndsItAtOnce) {
    GreySession session;
    MemorySink sink;
    std::stop_source stop;
    StoryOptions options;
    options.tell = [&](int shot, const ProgressEvent&) {
        if (shot == 2) stop.request_stop();
    };
    const auto told = tell_story(session, three_shots(), sink, options, stop.get_token());
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, ErrorCode::Cancelled);
    EXPECT_FALSE(sink.finished);
    EXPECT_EQ(session.asked.size(), 2u);
}

TEST(Story, WhatDoesNotFitTogetherIsRefusedBeforeTheFirstShot) {
    const auto refusal = [](auto change) {
        Story story = three_shots();
        change(story);
        GreySession session;
        MemorySink sink;
        const auto told = tell_story(session, story, sink, {}, {});
        EXPECT_TRUE(session.asked.empty());
        return told ? std::string("accepted") : told.error().detail;
    };
    EXPECT_THAT(refusal([](Story& s) { s.shots.clear(); }), HasSubstr("at least one shot"));
    EXPECT_THAT(refusal([](Story& s) { s.shots[1].video.width = 48; }), HasSubstr("shot 2"));
    EXPECT_THAT(refusal([](Story& s) { s.shots[2].video.rate = {16, 1}; }), HasSubstr("shot 3"));
    EXPECT_THAT(refusal([](Story& s) { s.shots[2].sampling.steps = 0; }), HasSubstr("shot 3"));
    EXPECT_THAT(refusal([](Story& s) { s.shots[0].references.clear(); }), HasSubstr("shot 1"));
}

// The second shot takes models and person from the first, and comes out as it does alone.
TEST_F(SessionTest, ShotsOfAStoryEqualTheSameRunsAloneAndShareThePerson) {
    Story story{"Two", {request(), request()}};
    story.shots[1].prompt.positive = "a man img cries";
    story.shots[1].sampling.seed = 8;
    const auto keeping = open_session(std::make_unique<DrawnFaces>(), Models::Keep);
    MemorySink together, first, second;
    std::vector<std::pair<int, Stage>> stages;
    StoryOptions options;
    options.tell = [&](int shot, const ProgressEvent& event) {
        const auto* progress = std::get_if<Progress>(&event);
        if (progress != nullptr && progress->step == 0) stages.emplace_back(shot, progress->stage);
    };
    const auto told = tell_story(*keeping, story, together, options, {});
    ASSERT_TRUE(told) << told.error().detail;
    ASSERT_TRUE(run(story.shots[0], first, "first"));
    ASSERT_TRUE(run(story.shots[1], second, "second"));
    std::vector<std::vector<std::uint8_t>> joined = first.frames;
    joined.insert(joined.end(), second.frames.begin(), second.frames.end());
    EXPECT_EQ(together.frames, joined);
    using ::testing::Contains;
    using ::testing::Not;
    EXPECT_THAT(stages, Contains(std::pair(1, Stage::ReadReferences)));
    EXPECT_THAT(stages, Contains(std::pair(1, Stage::ReadIdentity)));
    EXPECT_THAT(stages, Not(Contains(std::pair(2, Stage::ReadReferences))));
    EXPECT_THAT(stages, Not(Contains(std::pair(2, Stage::ReadIdentity))));
    EXPECT_THAT(stages, Contains(std::pair(2, Stage::Denoise)));
}

TEST_F(SessionTest, AReferenceWithoutAFaceStopsAStoryBeforeItBegins) {
    Story story{"Two", {request(), request()}};
    story.shots[1].references = {{"nobody.jpg", {}}};
    const auto keeping = open_session(std::make_unique<DrawnFaces>(), Models::Keep);
    MemorySink sink;
    int told_of = 0;
    StoryOptions options;
    options.tell = [&](int, const ProgressEvent&) { ++told_of; };
    const auto told = tell_story(*keeping, story, sink, options, {});
    ASSERT_FALSE(told);
    EXPECT_THAT(told.error().detail, HasSubstr("shot 2: there is no face in 'nobody.jpg'"));
    EXPECT_EQ(told_of, 0);
}

TEST_F(SessionTest, PreparingFindsTheAdapterAndSaysWhatTheRunWouldRefuse) {
    const auto ready = session_->prepare(request(), observer_, {});
    ASSERT_TRUE(ready) << ready.error().detail;
    EXPECT_EQ(ready.value().adapter, tiny_checkpoint() / "adapter" / "adapter.safetensors");
    GenerationRequest large = request(), twice = request();
    large.video = {8192, 8192, 1025, {8, 1}};
    twice.prompt.positive = "a man img and a man img";
    EXPECT_EQ(session_->prepare(large, observer_, {}).error().code, ErrorCode::OutOfMemory);
    EXPECT_EQ(session_->prepare(twice, observer_, {}).error().code, ErrorCode::InvalidRequest);
}

// The tiny checkpoint with another model_index.json.
void make_checkpoint_that_draws(const std::filesystem::path& folder) {
    const auto model = folder / "drawing";
    std::filesystem::create_directory(model);
    for (const auto& entry : std::filesystem::directory_iterator(tiny_checkpoint()))
        if (entry.is_directory())
            std::filesystem::create_directory_symlink(entry.path(), model / entry.path().filename());
    std::ofstream(model / "model_index.json") << R"({"_draws": "cartoon people"})";
}

TEST_F(SessionTest, AModelOfDrawnPeopleIsHonestAboutPhotographs) {
    std::vector<std::string> notices;
    observer_.tell = [&](const ProgressEvent& event) {
        if (const auto* notice = std::get_if<Notice>(&event)) notices.push_back(notice->detail);
    };
    const auto said = [&](const std::string& photo, bool draws) {
        notices.clear();
        GenerationRequest asked = request();
        asked.sampling.steps = 1;
        asked.references = {{photo, {}}};
        if (draws) asked.model = folder_.path() / "drawing";
        MemorySink sink;
        const auto report = run(asked, sink);
        EXPECT_TRUE(report) << report.error().detail;
        return std::count_if(notices.begin(), notices.end(), [](const std::string& notice) {
            return notice.find("this model draws cartoon people") != std::string::npos;
        });
    };
    make_checkpoint_that_draws(folder_.path());
    session_ = open_session(std::make_unique<DrawnFaces>(), Models::Keep);
    EXPECT_EQ(said("anna.jpg", true), 1);
    EXPECT_EQ(said("anna.jpg", true), 1);  // Though the face is not read again.
    EXPECT_EQ(said("drawn-anna.png", true), 0);
    EXPECT_EQ(said("anna.jpg", false), 0);
}

}  // namespace mirror::engine::testing
