// story and demo doing their work on the tiny checkpoint.

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "engine/media/video_file.h"
#include "engine/session/project_file.h"
#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class StoryProgram : public CliTest {
protected:
    StoryProgram() {
        Project project;
        project.title = "Two shots";
        project.characters = {{"Eileen", {{"references/eileen.jpg", {}}}}};
        project.shots = {{"", "a woman img smiles", "Eileen", 3, {}}, {"", "an empty beach", "", 4, {}}};
        project.shots[1].settings.frames = 1;
        project.defaults.frames = 9;
        project.defaults.steps = 1;
        project.size = {32, 32};
        EXPECT_TRUE(engine::write_project(film(), project));
        fs::copy_file(photo(), fs::path(film()) / "references" / "eileen.jpg");
    }

    std::string film() const { return file("film.mirror"); }
    std::vector<std::string> story(const std::vector<std::string>& further = {}) const {
        std::vector<std::string> arguments{"story", film(), "--model", model(), "-o", file("film.mp4")};
        arguments.insert(arguments.end(), further.begin(), further.end());
        return arguments;
    }
};

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_F(StoryProgram, WritesOneVideoAndTheTakes) {
    const Finished finished = run(story({"--json", "--takes", file("takes")}));
    ASSERT_EQ(finished.code, 0) << finished.err;
    const auto events = events_in(finished.out);
    EXPECT_EQ(events.back(), (nlohmann::json{{"event", "done"}, {"output", file("film.mp4")}}));
    std::vector<int> shots;
    for (const auto& event : events) {
        if (event.at("event") != "progress") continue;
        EXPECT_EQ(event.at("shots"), 2);
        if (shots.empty() || shots.back() != event.at("shot")) shots.push_back(event.at("shot"));
    }
    EXPECT_THAT(shots, ElementsAre(1, 2));

    const auto whole = media::read_video(file("film.mp4"));
    ASSERT_TRUE(whole) << whole.error().detail;
    EXPECT_EQ(whole.value().frames.size(), 10u);
    const auto recipe = nlohmann::json::parse(whole.value().info.recipe);
    EXPECT_EQ(recipe.at("kind"), "story");
    EXPECT_EQ(recipe.at("shots").at(0).at("prompt").at("positive"), "a woman img smiles");
    const auto first = media::read_video(file("takes/shot-01.mp4")),
               second = media::read_video(file("takes/shot-02.mp4"));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first.value().frames.size(), 9u);
    EXPECT_EQ(second.value().frames.size(), 1u);
    EXPECT_TRUE(request_from_json(first.value().info.recipe));
}

TEST_F(StoryProgram, OptionsGoBeforeTheProject) {
    const Finished finished =
        run(story({"--frames", "1", "--size", "48x32", "--steps", "2", "--seed", "9", "--identity-strength", "0.5"}));
    ASSERT_EQ(finished.code, 0) << finished.err;
    const auto video = media::read_video(file("film.mp4"));
    ASSERT_TRUE(video) << video.error().detail;
    EXPECT_EQ(video.value().frames.size(), 2u);
    EXPECT_EQ(video.value().info.width, 48);
    for (const auto& shot : nlohmann::json::parse(video.value().info.recipe).at("shots")) {
        EXPECT_EQ(shot.at("sampling").at("steps"), 2);
        EXPECT_EQ(shot.at("sampling").at("seed"), 9);
        EXPECT_EQ(shot.at("identity").at("value"), 0.5);
    }
}

TEST_F(StoryProgram, CtrlCLeavesNoVideo) {
    const LaunchOptions options{
        cache_.path(), [](const std::string& out) { return out.find("\"denoise\",\"step\":1,") != std::string::npos; }};
    const Finished finished = launch(story({"--json", "--method", "none", "--steps", "250"}), options);
    EXPECT_EQ(finished.code, 130) << finished.out << finished.err;
    expect_one_line(finished, "stopped");
    EXPECT_THAT(files_left(), ElementsAre("film.mirror"));
}

TEST_F(StoryProgram, APackedProjectMakesTheSameVideo) {
    ASSERT_EQ(run(story()).code, 0);
    const std::string of_folder = text_of(file("film.mp4"));
    const Finished packed = run({"story", film(), "--pack", file("packed.mirror"), "--json"});
    ASSERT_EQ(packed.code, 0) << packed.err;
    EXPECT_EQ(events_in(packed.out),
              (std::vector<nlohmann::json>{{{"event", "done"}, {"output", file("packed.mirror")}}}));
    fs::remove_all(film());
    fs::rename(file("packed.mirror"), film());
    const Finished finished = run(story());
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(text_of(file("film.mp4")), of_folder);
    EXPECT_THAT(files_left(), ElementsAre("film.mirror", "film.mp4"));
}

TEST_F(StoryProgram, WrongPackingIsTold) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> usage{
        {{"--pack", file("x.mp4")}, ".mirror"},
        {{"--pack", file("x.mirror"), "-o", file("x.mp4")}, "--output"},
        {{"--pack", file("x.mirror"), "--steps", "4"}, "--steps"}};
    for (const auto& [further, fragment] : usage) {
        std::vector<std::string> arguments{"story", film()};
        arguments.insert(arguments.end(), further.begin(), further.end());
        const Finished finished = run(arguments);
        EXPECT_EQ(finished.code, 2) << fragment;
        expect_one_line(finished, fragment);
    }
    std::ofstream(file("text.mirror")) << "PK";
    const std::vector<std::pair<std::vector<std::string>, std::string>> refused{
        {{"story", film(), "--pack", film()}, "it is a folder"},
        {{"story", film(), "--pack", film() + "/x.mirror"}, "the project itself"},
        {{"story", film(), "--pack", file("gone/x.mirror")}, "its folder does not exist"},
        {{"story", file("gone.mirror"), "--pack", file("x.mirror")}, "gone.mirror"},
        {{"story", file("text.mirror"), "--pack", file("x.mirror")}, "text.mirror is no folder"},
        {{"story", file("text.mirror"), "--model", model(), "-o", file("x.mp4")}, "text.mirror is not"}};
    for (const auto& [arguments, fragment] : refused) {
        const Finished finished = run(arguments);
        EXPECT_EQ(finished.code, 1) << fragment;
        expect_one_line(finished, fragment);
    }
    EXPECT_THAT(files_left(), ElementsAre("film.mirror", "text.mirror"));
}

TEST_F(StoryProgram, WrongUseAndWrongProjectsAreTold) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> usage{
        {{"story"}, "project"},
        {{"story", film(), "--model", model()}, "--output"},
        {story({"--prompt", "x"}), "--prompt"},
        {story({"--frames", "8"}), "--frames"},
        {{"story", film(), "--model", model(), "-o", file("film.png")}, ".mp4"}};
    for (const auto& [arguments, fragment] : usage) {
        const Finished finished = run(arguments);
        EXPECT_EQ(finished.code, 2) << fragment;
        expect_one_line(finished, fragment);
    }
    std::ofstream(film() + "/project.json") << R"({"version": 9})";
    const Finished newer = run(story());
    EXPECT_EQ(newer.code, 1);
    expect_one_line(newer, "version 9");
    EXPECT_THAT(files_left(), ElementsAre("film.mirror"));
}

TEST_F(CliTest, DemoMakesAPageThatNeedsNoServer) {
    const Finished finished =
        run({"demo", file("demo"), "--model", model(), "--frames", "9", "--size", "64x48", "--steps", "2"});
    ASSERT_EQ(finished.code, 0) << finished.err;
    const fs::path demo = file("demo");
    for (const char* name : {"reference.png", "clip.mp4", "clip.png", "steps.png", "story.mp4", "story.png"})
        EXPECT_TRUE(fs::is_regular_file(demo / name)) << name;
    for (const char* stage : {"1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5"})
        EXPECT_THAT(finished.out, HasSubstr(stage));
    EXPECT_THAT(finished.out, HasSubstr("a drawn face"));
    EXPECT_THAT(finished.out, HasSubstr("not measured"));
    const std::string page = text_of(demo / "index.html");
    EXPECT_THAT(page, HasSubstr("src=\"clip.mp4\""));
    EXPECT_THAT(page, HasSubstr("src=\"story.mp4\""));
    EXPECT_THAT(page, HasSubstr("are noise"));
    EXPECT_THAT(page, Not(HasSubstr("http")));
    EXPECT_THAT(page, Not(HasSubstr(demo.string())));
    EXPECT_EQ(media::read_video(demo / "story.mp4").value().frames.size(), 27u);
}

}  // namespace mirror::cli::testing
