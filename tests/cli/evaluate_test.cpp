// evaluate: videos whose scores are known, and what it refuses.

#include <fstream>

#include "engine/face/photograph.h"
#include "engine/media/mp4_sink.h"
#include "engine/media/png_sink.h"
#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

constexpr int kSide = 256;
constexpr int kFrames = 3;
constexpr int kLeft = 96;

class EvaluateTest : public CliTest {
protected:
    // The part of the photograph with the face, and so many pixels further to the right with each frame.
    void write_video(const std::string& name, const Frame& picture, int step) const {
        const auto sink = media::make_mp4_sink(file(name));
        sink->begin({kSide, kSide, kFrames, {8, 1}}, "");
        for (int i = 0; i < kFrames; ++i) sink->write(window(picture, kLeft + i * step));
        sink->finish();
    }
    static Frame window(const Frame& picture, int left) {
        Frame part{kSide, kSide, {}};
        for (int y = 0; y < kSide; ++y) {
            const auto* row = picture.row(y) + static_cast<std::ptrdiff_t>(left) * 3;
            part.rgb.insert(part.rgb.end(), row, row + std::ptrdiff_t{kSide} * 3);
        }
        return part;
    }
    static Frame photograph() { return value_or_throw(face::read_photograph(photo())); }
    static Frame grey() { return {512, 512, std::vector<std::uint8_t>(std::size_t{512} * 512 * 3, 90)}; }

    Finished evaluate(std::vector<std::string> further) const {
        further.insert(further.begin(), "evaluate");
        further.insert(further.end(), {"--model", model()});
        return run(further);
    }
};

}  // namespace

TEST_F(EvaluateTest, FindsThePersonInAVideoOfThePhotograph) {
    write_video("same.mp4", photograph(), 8);
    const Finished finished = evaluate({file("same.mp4"), "--reference", photo(), "--json"});
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_TRUE(finished.err.empty()) << finished.err;
    const auto events = events_in(finished.out);
    ASSERT_GE(events.size(), 2u);
    const auto& video = events[events.size() - 2];
    EXPECT_EQ(video.at("event"), "video");
    EXPECT_EQ(video.at("file"), file("same.mp4"));
    EXPECT_EQ(video.at("frames"), kFrames);
    EXPECT_EQ(video.at("sampled_frames"), kFrames);
    EXPECT_EQ(video.at("similarities").size(), static_cast<std::size_t>(kFrames));
    EXPECT_EQ(video.at("missing_faces"), 0);
    EXPECT_GT(video.at("id_sim").get<double>(), 0.8);  // A recogniser of random weights.
    EXPECT_GT(video.at("ifs").get<double>(), 0.8);
    // The same pose, in boxes that differ a little; the face moves by 8 of 256 pixels a frame: five landmarks by 1/32
    // each.
    EXPECT_LT(video.at("fm_ref").get<double>(), 0.5);
    EXPECT_NEAR(video.at("fm_inter").get<double>(), 5.0 / 32, 0.06);
    EXPECT_EQ(events.back().at("event"), "done");
    EXPECT_EQ(events.back().at("videos"), 1);
    EXPECT_NEAR(events.back().at("mean").at("id_sim").get<double>(), video.at("id_sim").get<double>(), 1e-9);
}

TEST_F(EvaluateTest, SaysWhereNoFaceIs) {
    write_video("grey.mp4", grey(), 0);
    const Finished finished = evaluate({file("grey.mp4"), "--reference", photo(), "--json"});
    ASSERT_EQ(finished.code, 0) << finished.err;
    const auto events = events_in(finished.out);
    const auto& video = events.at(events.size() - 2);
    EXPECT_EQ(video.at("missing_faces"), 1);
    for (const char* name : {"id_sim", "decay", "rs", "ifs", "fm_ref", "fm_inter", "fm_dense", "arc_sim"})
        EXPECT_TRUE(video.at(name).is_null()) << name;
    EXPECT_EQ(video.at("dynamic"), false);
    const Finished table = evaluate({file("grey.mp4"), "--reference", photo()});
    EXPECT_EQ(table.code, 0);
    EXPECT_NE(table.out.find("ID sim"), std::string::npos) << table.out;
    EXPECT_NE(table.out.find("1.0000"), std::string::npos) << table.out;
}

TEST_F(EvaluateTest, ReportsTheOthersWhenOneCannotBeRead) {
    write_video("grey.mp4", grey(), 0);
    std::ofstream(file("words.mp4")) << "no video";
    const Finished finished =
        evaluate({file("words.mp4"), file("grey.mp4"), "--reference", photo(), "--samples", "all", "--json"});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "words.mp4");
    const auto events = events_in(finished.out);
    ASSERT_GE(events.size(), 2u);
    EXPECT_EQ(events[events.size() - 2].at("file"), file("grey.mp4"));
    EXPECT_EQ(events.back().at("event"), "failed");
}

TEST_F(EvaluateTest, SaysOfEachWhyItCannotBeRead) {
    write_video("grey.mp4", grey(), 0);
    std::ofstream(file("words.mp4")) << "no video";
    const std::vector<std::string> videos{file("words.mp4"), file("grey.mp4"), file("nowhere.mp4")};
    for (const bool json : {false, true}) {
        std::vector<std::string> arguments = videos;
        arguments.insert(arguments.end(), {"--reference", photo()});
        if (json) arguments.emplace_back("--json");
        const Finished finished = evaluate(arguments);
        EXPECT_EQ(finished.code, 1);
        expect_one_line(finished, "words.mp4 and 1 more of 3 videos");
        for (const char* name : {"words.mp4", "nowhere.mp4"})
            EXPECT_NE(finished.out.find(name), std::string::npos) << finished.out;
        if (!json) continue;
        const auto events = events_in(finished.out);
        EXPECT_EQ(
            std::count_if(events.begin(), events.end(), [](const auto& one) { return one.at("event") == "warning"; }),
            2);
        EXPECT_EQ(events.back().at("event"), "failed");
    }
}

TEST_F(EvaluateTest, RefusesInOneSentence) {
    ASSERT_TRUE(media::write_png(file("grey.png"), grey()));
    const std::vector<std::tuple<int, std::string, std::vector<std::string>>> refusals{
        {2, "--reference", {"v.mp4"}},
        {2, "video", {"--reference", photo()}},
        {2, "--samples", {"v.mp4", "--reference", photo(), "--samples", "0"}},
        {2, "--fm-norm", {"v.mp4", "--reference", photo(), "--fm-norm", "head"}},
        {2, "--fm-inter-reduce", {"v.mp4", "--reference", photo(), "--fm-inter-reduce", "median"}},
        {2, "--device", {"v.mp4", "--reference", photo(), "--device", "tpu"}},
        {1, "nowhere.mp4", {file("nowhere.mp4"), "--reference", photo()}},
        {1, "nobody.jpg", {"v.mp4", "--reference", file("nobody.jpg")}},
        {1, "grey.png", {"v.mp4", "--reference", file("grey.png")}},
        {1, "does not exist", {"v.mp4", "--reference", photo(), "--face", "7"}}};
    for (const auto& [code, fragment, arguments] : refusals) {
        const Finished finished = evaluate(arguments);
        EXPECT_EQ(finished.code, code) << fragment << ": " << finished.err;
        expect_one_line(finished, fragment);
    }
    const Finished no_model = run({"evaluate", "v.mp4", "--reference", photo(), "--model", file("none")});
    EXPECT_EQ(no_model.code, 1);
    expect_one_line(no_model, "none");
}

}  // namespace mirror::cli::testing
