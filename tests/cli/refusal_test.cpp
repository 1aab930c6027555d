// What the program refuses: the exit code, one line that names the culprit, and nothing left behind.

#include <fstream>

#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

struct Refusal {
    int code;
    std::string fragment;
    std::vector<std::string> arguments;
};

std::vector<std::string> generate_with(std::vector<std::string> further) {
    std::vector<std::string> arguments{"generate", "--reference", "@photo", "--prompt",    "a man img",
                                       "--model",  "@model",      "-o",     "@dir/out.mp4"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return arguments;
}

std::vector<std::string> stage_with(const std::string& stage, std::vector<std::string> further) {
    std::vector<std::string> arguments{"run-stage", stage, "--model", "@model", "--outputs", "@dir/out.safetensors"};
    arguments.insert(arguments.end(), further.begin(), further.end());
    return arguments;
}

const std::vector<Refusal>& malformed() {
    static const std::vector<Refusal> all{
        {2, "subcommand", {}},
        {2, "frobnicate", {"frobnicate"}},
        {2, "--time", {"train", "recipe.json", "--time", "soon"}},
        {2, "download", {"models", "download"}},
        {2, "--frames", generate_with({"--frames", "18"})},
        {2, "--frames", generate_with({"--frames", "1033"})},
        {2, "--frames", generate_with({"--frames", "9.0"})},
        {2, "--size", generate_with({"--size", "100x100"})},
        {2, "--size", generate_with({"--size", "64"})},
        {2, "--steps", generate_with({"--steps", "0"})},
        {2, "--steps", generate_with({"--steps", "4x"})},
        {2, "--guidance", generate_with({"--guidance", "nan"})},
        {2, "--guidance", generate_with({"--guidance", "6,5"})},
        {2, "--seed", generate_with({"--seed", "18446744073709551616"})},
        {2, "--seed", generate_with({"--seed", "-1"})},
        {2, "--seed", generate_with({"--seed", "1", "--seed", "2"})},
        {2, "--prompt", generate_with({"--prompt", "again"})},
        {2, "--json", generate_with({"--json", "--json"})},
        {2, "--identity-strength", generate_with({"--identity-strength", "1.6"})},
        {2, "--identity-strength", generate_with({"--identity-strength", "1:3-2"})},
        {2, "--dynamic-guidance", generate_with({"--dynamic-guidance", "on"})},
        {2, "--device", generate_with({"--device", "tpu"})},
        {2, "--precision", generate_with({"--precision", "fp8"})},
        {2, "--budget", generate_with({"--budget", "lots"})},
        {2, "--method", generate_with({"--method", "magic"})},
        {2, "--face", generate_with({"--face", "0"})},
        {2, "--face", generate_with({"--method", "none", "--face", "1"})},
        {2, "--adapter", generate_with({"--method", "none", "--adapter", "@adapter"})},
        {2, "--identity-strength", generate_with({"--method", "none", "--identity-strength", "1"})},
        {2, "--bogus", generate_with({"--bogus"})},
        {2,
         "out.gif",
         {"generate", "--prompt", "a man img", "--model", "@model", "-o", "@dir/out.gif", "--reference", "@photo"}},
        {2, "--reference", {"generate", "--prompt", "a man img", "--model", "@model", "-o", "@dir/out.mp4"}},
        {2, "--prompt", {"generate", "--reference", "@photo", "--model", "@model", "-o", "@dir/out.mp4"}},
        {2,
         "--prompt",
         {"generate", "--reference", "@photo", "--prompt", "\xff\xfe", "--model", "@model", "-o", "@dir/out.mp4"}},
        {2, "--preset", {"models", "init", "--preset", "huge", "@dir/new"}},
        {2, "polish", stage_with("polish", {})},
        {2, "--inputs", stage_with("t5", {})},
        {2, "--text", stage_with("tokenize", {})},
        {2, "--adapter", stage_with("fuse", {"--inputs", "@dir/in.safetensors"})},
        {2, "--dtype", stage_with("t5", {"--inputs", "@dir/in.safetensors", "--dtype", "fp8"})},
        {2, "--steps", stage_with("t2v", {"--inputs", "@dir/in.safetensors", "--steps", "many"})},
        {2, "--tiling", stage_with("t5", {"--inputs", "@dir/in.safetensors", "--tiling"})},
    };
    return all;
}

const std::vector<Refusal>& impossible() {
    static const std::vector<Refusal> all{
        {1,
         "nowhere",
         {"generate", "--reference", "@photo", "--prompt", "a man img", "--model", "@dir/nowhere", "-o",
          "@dir/out.mp4"}},
        {1,
         "missing.jpg",
         {"generate", "--reference", "@dir/missing.jpg", "--prompt", "a man img", "--model", "@model", "-o",
          "@dir/out.mp4"}},
        {1,
         "config.json",
         {"generate", "--reference", "@model/vae/config.json", "--prompt", "a man img", "--model", "@model", "-o",
          "@dir/out.mp4"}},
        {1,
         "img",
         {"generate", "--reference", "@photo", "--prompt", "img img", "--model", "@model", "-o", "@dir/out.mp4"}},
        {1, "recipe.json", {"train", "recipe.json"}},
        {1, "memory", generate_with({"--budget", "1MiB"})},
        {1, "memory", generate_with({"--size", "8192x8192", "--frames", "1025"})},
        {1, "cuda:77", generate_with({"--device", "cuda:77"})},
        {1, "astronaut.jpg", generate_with({"--face", "9", "--steps", "1"})},
        {1, "none.safetensors", generate_with({"--adapter", "@dir/none.safetensors"})},
        {1,
         "nofolder",
         {"generate", "--reference", "@photo", "--prompt", "a man img", "--model", "@model", "-o",
          "@dir/nofolder/out.mp4"}},
        {2, "out.gif", {"decode", "@adapter", "--model", "@model", "-o", "@dir/out.gif"}},
        {1, "latents", {"decode", "@adapter", "--model", "@model", "-o", "@dir/out.mp4"}},
        {1, "absent.safetensors", {"decode", "@dir/absent.safetensors", "--model", "@model", "-o", "@dir/out.mp4"}},
        {1, "empty", {"models", "init", "--preset", "tiny", "@model"}},
        {1, "config.json", {"models", "verify", "@model/vae/config.json"}},
        {1, "bad\\nname.jpg", {"face", "@dir/bad\nname.jpg"}},
        {1, "in.safetensors", stage_with("t5", {"--inputs", "@dir/in.safetensors"})},
        {1, "--steps", stage_with("scheduler", {"--inputs", "@adapter", "--steps", "0"})},
        {1, "face_scala", stage_with("mm-tokenize", {"--text", "a man img", "--set", "face_scala=1"})},
    };
    return all;
}

class Refused : public CliTest, public ::testing::WithParamInterface<Refusal> {};

}  // namespace

TEST_P(Refused, WithOneLineAndNothingLeft) {
    const auto arguments = resolved(GetParam().arguments);
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.code, GetParam().code) << finished.err;
    expect_one_line(finished, GetParam().fragment);
    EXPECT_TRUE(files_left().empty());
}

INSTANTIATE_TEST_SUITE_P(Malformed, Refused, ::testing::ValuesIn(malformed()));
INSTANTIATE_TEST_SUITE_P(Impossible, Refused, ::testing::ValuesIn(impossible()));

TEST_F(CliTest, AnOutputThatIsAnInputIsRefused) {
    const auto copy = file("copy.jpg");
    std::filesystem::copy_file(photo(), copy);
    std::filesystem::create_hard_link(copy, file("linked.mp4"));
    const Finished finished =
        run({"generate", "--reference", copy, "--prompt", "a man img", "--model", model(), "-o", file("linked.mp4")});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "linked.mp4");
    EXPECT_EQ(std::filesystem::file_size(copy), std::filesystem::file_size(photo()));
}

TEST_F(CliTest, LatentsAndTheVideoAreNotOneFileThroughALink) {
    std::filesystem::create_directory(file("real"));
    std::filesystem::create_directory_symlink(file("real"), file("link"));
    auto arguments = resolved(generate_with({"--latents", file("link/out.mp4")}));
    arguments[std::size_t(std::find(arguments.begin(), arguments.end(), "-o") - arguments.begin()) + 1] =
        file("real/out.mp4");
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.code, 2);
    expect_one_line(finished, "--latents");
}

TEST_F(CliTest, AFolderOrALinkIsNotReplaced) {
    std::filesystem::create_directory(file("folder.mp4"));
    std::filesystem::create_symlink(file("elsewhere"), file("link.mp4"));
    for (const char* name : {"folder.mp4", "link.mp4"}) {
        const Finished finished =
            run({"generate", "--reference", photo(), "--prompt", "a man img", "--model", model(), "-o", file(name)});
        EXPECT_EQ(finished.code, 1);
        expect_one_line(finished, name);
    }
}

TEST_F(CliTest, AFailureIsAnEventToo) {
    const Finished finished = run({"generate", "--reference", photo(), "--prompt", "a man img", "--model", model(),
                                   "--budget", "1MiB", "--json", "-o", file("out.mp4")});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "memory");
    const auto events = events_in(finished.out);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().at("event"), "failed");
    EXPECT_NE(events.back().at("message").get<std::string>().find("memory"), std::string::npos);
}

TEST_F(CliTest, AWrongOptionIsAnEventToo) {
    for (const auto& further : std::vector<std::vector<std::string>>{
             {"--frames", "18"}, {"--bogus"}, {"--seed", "1", "--seed", "2"}, {"--steps"}}) {
        auto arguments = resolved(generate_with({"--json"}));
        arguments.insert(arguments.end(), further.begin(), further.end());
        const Finished finished = run(arguments);
        EXPECT_EQ(finished.code, 2);
        expect_one_line(finished, further.front());
        const auto events = events_in(finished.out);
        ASSERT_EQ(events.size(), 1u) << further.front();
        EXPECT_EQ(events[0].at("event"), "failed");
        EXPECT_NE(events[0].at("message").get<std::string>().find(further.front()), std::string::npos);
    }
}

TEST_F(CliTest, ALongNameIsCutIntoOneLine) {
    const Finished finished = run({"face", file(std::string(180, 'n') + "\xe2\x80\xae.jpg")});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "nnn");
    EXPECT_EQ(finished.err.find("\xe2\x80\xae"), std::string::npos);
}

}  // namespace mirror::cli::testing
