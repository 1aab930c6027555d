// Projects on disk: what is written comes back, and what is wrong is refused by name.

#include "engine/session/project_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/support/scratch_folder.h"

namespace mirror::engine {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

Project whole_project() {
    Project project;
    project.title = "Three shots";
    project.characters = {{"Mara", {{"references/mara.png", {}}, {"references/deep/mara 2.png", 2}}}, {"Jón", {}}};
    project.defaults = {17, 20, 4.5, IdentityStrength{0.8, 2, 10}, "blurred"};
    project.size = {128, 96};
    project.frames_per_second = 8;
    project.shots = {{"Opening", "a woman img smiles", "Mara", 18446744073709551615u, {}},
                     {"", "the beach", "", 0, {9, 1, 0.0, IdentityStrength{}, ""}}};
    return project;
}

class ProjectFile : public ::testing::Test {
protected:
    fs::path folder() const { return scratch_.path() / "film.mirror"; }

    void put(const std::string& text) const {
        fs::create_directories(folder());
        std::ofstream(folder() / "project.json", std::ios::binary) << text;
    }
    std::string text() const {
        std::ifstream stream(folder() / "project.json", std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::string refusal(const std::string& json) const {
        put(json);
        const auto read = read_project(folder());
        return read ? std::string("accepted") : read.error().detail;
    }

    testing::ScratchFolder scratch_;
};

TEST_F(ProjectFile, WhatIsWrittenComesBack) {
    for (const Project& project : {Project(), whole_project()}) {
        const Status written = write_project(folder(), project);
        ASSERT_TRUE(written) << written.error().detail;
        const auto read = read_project(folder());
        ASSERT_TRUE(read) << read.error().detail;
        EXPECT_EQ(read.value(), project);
    }
    EXPECT_TRUE(fs::is_directory(folder() / "references"));
    EXPECT_TRUE(fs::is_directory(folder() / "takes"));
}

TEST_F(ProjectFile, KeysAreSortedAndWhatIsNotSaidIsLeftOut) {
    ASSERT_TRUE(write_project(folder(), whole_project()));
    const std::string first = text();
    EXPECT_LT(first.find("\"characters\""), first.find("\"defaults\""));
    EXPECT_LT(first.find("\"shots\""), first.find("\"title\""));
    EXPECT_LT(first.find("\"title\""), first.find("\"version\": 1"));
    ASSERT_TRUE(write_project(folder(), read_project(folder()).value()));
    EXPECT_EQ(text(), first);
    ASSERT_TRUE(write_project(folder(), Project()));
    EXPECT_EQ(text().find("frames"), std::string::npos);
}

TEST_F(ProjectFile, ANewerVersionIsRefusedBeforeItsUnknownKeys) {
    EXPECT_THAT(refusal(R"({"version": 2, "acts": []})"), HasSubstr("version 2"));
    EXPECT_THAT(refusal(R"({"version": 0})"), HasSubstr("version"));
    EXPECT_THAT(refusal(R"({"title": "x"})"), HasSubstr("version"));
}

TEST_F(ProjectFile, WhatIsWrongIsNamed) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {R"("acts": 1)", "acts"},
        {R"("shots": {})", "shots"},
        {R"("shots": [1])", "shots"},
        {R"("shots": [{}])", "shots[0].prompt"},
        {R"("shots": [{"prompt": ""}])", "shots[0].prompt"},
        {R"("shots": [{"prompt": "a", "promt": "b"}])", "shots[0].promt"},
        {R"("shots": [{"prompt": "a", "frames": 8}])", "shots[0].frames"},
        {R"("shots": [{"prompt": "a", "steps": 1001}])", "shots[0].steps"},
        {R"("shots": [{"prompt": "a", "seed": -1}])", "shots[0].seed"},
        {R"("shots": [{"prompt": "a", "identity": {"value": 2}}])", "shots[0].identity.value"},
        {R"("shots": [{"prompt": "a", "identity": {"first_step": 5, "last_step": 4}}])", "shots[0].identity"},
        {R"("shots": [{"prompt": "a", "character": "Nobody"}])", "shots[0].character"},
        {R"("characters": [{"name": ""}])", "characters[0].name"},
        {R"("characters": [{"name": "A"}, {"name": "A"}])", "characters[1].name"},
        {R"("characters": [{"name": "A", "references": [{"file": "a.png", "face": 0}]}])", "references[0].face"},
        {R"("defaults": {"width": 96})", "defaults.height"},
        {R"("defaults": {"width": 100, "height": 96})", "defaults.width"},
        {R"("defaults": {"fps": 0})", "defaults.fps"},
        {R"("title": "a\nb")", "title"},
    };
    for (const auto& [member, name] : cases)
        EXPECT_THAT(refusal("{\"version\": 1, " + member + "}"), HasSubstr(name)) << member;
}

TEST_F(ProjectFile, NoReferenceLeadsOutOfTheProject) {
    for (const std::string path : {"/etc/passwd", "../a.png", "a/../../b.png", "..", ".", "a//b.png", "a/", "./a.png",
                                   "c:\\\\a.png", "file:a.png", "a\\u202eb.png", ""})
        EXPECT_THAT(
            refusal(R"({"version": 1, "characters": [{"name": "A", "references": [{"file": ")" + path + "\"}]}]}"),
            HasSubstr("characters[0].references[0].file"))
            << path;
}

TEST_F(ProjectFile, LinksMayNotLeaveTheProject) {
    ASSERT_TRUE(write_project(folder(), whole_project()));
    std::ofstream(scratch_.path() / "outside.png") << "x";
    std::ofstream(folder() / "references/inside.png") << "x";
    fs::create_symlink(scratch_.path() / "outside.png", folder() / "references/out.png");
    fs::create_symlink("inside.png", folder() / "references/in.png");
    fs::create_directory_symlink(scratch_.path(), folder() / "references/away");
    EXPECT_TRUE(file_in_project(folder(), "references/inside.png"));
    EXPECT_TRUE(file_in_project(folder(), "references/in.png"));
    for (const char* file :
         {"references/out.png", "references/away/outside.png", "references/gone.png", "references", "../outside.png"})
        EXPECT_FALSE(file_in_project(folder(), file)) << file;
    EXPECT_THAT(file_in_project(folder(), "references/out.png").error().detail, HasSubstr("link"));

    fs::remove(folder() / "project.json");
    fs::create_symlink(scratch_.path() / "outside.png", folder() / "project.json");
    EXPECT_THAT(read_project(folder()).error().detail, HasSubstr("link"));
}

TEST_F(ProjectFile, TheTextAloneIsAProjectToo) {
    ASSERT_TRUE(write_project(folder(), whole_project()));
    const auto parsed = parse_project(text(), "film.mirror/project.json");
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(parsed.value(), whole_project());
    const auto refused = parse_project(R"({"version": 1, "acts": []})", "film.mirror/project.json");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("film.mirror/project.json"));
    EXPECT_THAT(refused.error().detail, HasSubstr("acts"));
}

TEST_F(ProjectFile, EverythingButHiddenFilesBelongsToACopy) {
    ASSERT_TRUE(write_project(folder(), whole_project()));
    EXPECT_THAT(files_of_project(folder()).error().detail, HasSubstr("references/mara.png"));
    fs::create_directories(folder() / "references/deep");
    fs::create_directories(folder() / ".hidden");
    for (const char* name : {"references/mara.png", "references/deep/mara 2.png", "takes/1.mp4", ".hidden/x", ".part"})
        std::ofstream(folder() / name) << "x";
    fs::create_symlink("1.mp4", folder() / "takes/best.mp4");
    const auto files = files_of_project(folder());
    ASSERT_TRUE(files) << files.error().detail;
    EXPECT_EQ(files.value(), (std::vector<fs::path>{"project.json", "references/deep/mara 2.png", "references/mara.png",
                                                    "takes/1.mp4", "takes/best.mp4"}));

    fs::create_symlink("/etc/passwd", folder() / "takes/away");
    EXPECT_THAT(files_of_project(folder()).error().detail, HasSubstr("takes/away"));
    fs::remove(folder() / "takes/away");
    fs::create_directory_symlink("..", folder() / "takes/round");
    EXPECT_THAT(files_of_project(folder()).error().detail, HasSubstr("takes/round"));
}

TEST_F(ProjectFile, WhatIsNoFolderIsSaidInOneSentence) {
    EXPECT_EQ(read_project(folder()).error().code, ErrorCode::MissingFile);
    std::ofstream(folder(), std::ios::binary) << "PK\x03\x04";
    EXPECT_THAT(read_project(folder()).error().detail, HasSubstr("is no folder"));
}

TEST_F(ProjectFile, LimitsHoldAtTheirEdge) {
    Project project;
    project.characters.resize(100);
    for (std::size_t i = 0; i < project.characters.size(); ++i) project.characters[i].name = std::to_string(i);
    project.shots.assign(1000, {"", "a", "", 0, {}});
    project.title = std::string(200, 't');
    EXPECT_TRUE(check_project(project));
    const auto broken = [&](auto change) {
        Project other = project;
        change(other);
        return !check_project(other).ok();
    };
    EXPECT_TRUE(broken([](Project& p) { p.characters.push_back({"more", {}}); }));
    EXPECT_TRUE(broken([](Project& p) { p.shots.push_back({"", "a", "", 0, {}}); }));
    EXPECT_TRUE(broken([](Project& p) { p.title += 't'; }));
    EXPECT_TRUE(broken([](Project& p) { p.shots[0].prompt = std::string((64u << 10) + 1, 'p'); }));
    EXPECT_TRUE(broken([](Project& p) { p.shots[0].prompt = "\xff"; }));
    EXPECT_TRUE(broken([](Project& p) { p.characters[0].references.resize(5, {"a.png", {}}); }));
    EXPECT_TRUE(broken([](Project& p) { p.characters[0].references = {{std::string(256, 'a'), {}}}; }));
}

TEST(ShotRequest, TheShotGoesBeforeTheProjectAndThatBeforeTheModel) {
    const Project project = whole_project();
    GenerationRequest model;
    model.video = {720, 480, 49, {16, 1}};
    const auto first = shot_request(project, 0, model, "film.mirror");
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_EQ(first.value().video, (VideoSpec{128, 96, 17, {8, 1}}));
    EXPECT_EQ(first.value().sampling.steps, 20);
    EXPECT_EQ(first.value().prompt, (Prompt{"a woman img smiles", "blurred"}));
    EXPECT_EQ(first.value().references.at(1), (ReferencePhoto{"film.mirror/references/deep/mara 2.png", 2}));
    EXPECT_EQ(first.value().identity, (IdentityStrength{0.8, 2, 10}));
    const auto second = shot_request(project, 1, model, "film.mirror");
    ASSERT_TRUE(second);
    EXPECT_EQ(second.value().method, Method::None);
    EXPECT_EQ(second.value().video.frames, 9);
    EXPECT_EQ(second.value().prompt.negative, "");
    EXPECT_TRUE(second.value().references.empty());
}

TEST(ShotRequest, ACharacterWithoutPicturesIsSaid) {
    Project project = whole_project();
    project.shots[0].character = "Jón";
    EXPECT_THAT(shot_request(project, 0, {}, "film.mirror").error().detail, HasSubstr("Jón"));
}

}  // namespace
}  // namespace mirror::engine
