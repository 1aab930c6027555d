// bench: every stage is timed and told, on presets and on a folder; what it cannot do is refused.

#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

std::vector<std::string> stages_in(const std::vector<nlohmann::json>& events) {
    std::vector<std::string> stages;
    for (const auto& event : events)
        if (event.at("event") == "timing") stages.push_back(event.at("stage"));
    return stages;
}

const std::vector<std::string> kAllStages{"linear", "attention", "t5", "dit-step", "magic-mirror-step", "vae-decode"};

}  // namespace

TEST_F(CliTest, BenchTimesEveryStageOfAPreset) {
    const Finished finished = run({"bench", "--preset", "tiny", "--random-weights", "--json", "--frames", "1", "--size",
                                   "64x48", "--repeats", "2", "--threads", "1"});
    ASSERT_EQ(finished.code, 0) << finished.err;
    const auto events = events_in(finished.out);
    EXPECT_EQ(stages_in(events), kAllStages);
    for (std::size_t i = 0; i + 1 < events.size(); ++i) {
        EXPECT_EQ(events[i].at("seconds").size(), 2u);
        EXPECT_GT(events[i].at("median_seconds").get<double>(), 0.0);
    }
    EXPECT_GT(events.front().at("gflop_per_second").get<double>(), 0.0);
    const auto& done = events.back();
    EXPECT_EQ(done.at("event"), "done");
    EXPECT_EQ(done.at("preset"), "tiny");
    EXPECT_EQ(done.at("random_weights"), true);
    EXPECT_EQ(done.at("device"), "cpu");
    EXPECT_EQ(done.at("threads"), 1);
    EXPECT_GT(done.at("peak_mib").get<int>(), 0);
    EXPECT_TRUE(finished.err.empty()) << finished.err;
}

TEST_F(CliTest, BenchReadsTheWeightsOfAFolderUnlessToldNotTo) {
    const std::vector<std::string> common{"bench", "--model",   model(), "--json",   "--stage", "dit-step",    "--size",
                                          "64x48", "--repeats", "1",     "--layers", "1",       "--precision", "bf16"};
    const auto stored = events_in(run(common).out);
    EXPECT_EQ(stages_in(stored), std::vector<std::string>{"dit-step"});
    EXPECT_TRUE(stored.front().at("what").get<std::string>().starts_with("1 layers"));
    EXPECT_EQ(stored.back().at("random_weights"), false);
    EXPECT_EQ(stored.back().at("precision"), "bf16");
    auto random = common;
    random.push_back("--random-weights");
    EXPECT_EQ(events_in(run(random).out).back().at("random_weights"), true);
}

TEST_F(CliTest, BenchPrintsATable) {
    const Finished finished = run({"bench", "--preset", "tiny", "--stage", "linear", "--stage", "attention", "--size",
                                   "64x48", "--repeats", "1"});
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(std::count(finished.out.begin(), finished.out.end(), '\n'), 4) << finished.out;
    EXPECT_NE(finished.out.find("GFLOP/s"), std::string::npos);
    EXPECT_NE(finished.out.find("libtorch"), std::string::npos);
}

TEST_F(CliTest, BenchRefusesWhatItCannotDo) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
        {{"bench", "--preset", "huge"}, "--preset"},
        {{"bench", "--stage", "sing"}, "--stage"},
        {{"bench", "--threads", "0"}, "--threads"},
        {{"bench", "--repeats", "x"}, "--repeats"},
        {{"bench", "--layers", "-1"}, "--layers"},
        {{"bench", "--frames", "10"}, "--frames"},
        {{"bench", "--preset", "tiny", "--model", "x"}, "--model"}};
    for (const auto& [arguments, fragment] : wrong) {
        const Finished finished = run(arguments);
        EXPECT_EQ(finished.code, 2) << fragment;
        expect_one_line(finished, fragment);
    }
    const Finished large = run({"bench", "--preset", "tiny", "--size", "8192x8192", "--frames", "1025", "--json"});
    EXPECT_EQ(large.code, 1);
    expect_one_line(large, "memory");
    EXPECT_TRUE(stages_in(events_in(large.out)).empty()) << large.out;
    const Finished missing = run({"bench", "--model", file("nowhere"), "--json"});
    EXPECT_EQ(missing.code, 1);
    expect_one_line(missing, "nowhere");
    EXPECT_EQ(events_in(missing.out).back().at("event"), "failed");
}

}  // namespace mirror::cli::testing
