// The commands doing their work on the tiny checkpoint.

#include <csignal>
#include <fstream>
#include <iterator>

#include "engine/face/photograph.h"
#include "engine/media/png_sink.h"
#include "engine/media/video_file.h"
#include "tests/cli/cli_fixture.h"

namespace mirror::cli::testing {

namespace {

std::string bytes_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_F(CliTest, VersionAndHelpGoToStandardOutput) {
    const Finished version = run({"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_TRUE(version.out.starts_with("magic-mirror ")) << version.out;
    const Finished help = run({"generate", "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("--identity-strength"), std::string::npos);
    EXPECT_NE(help.out.find("magic-mirror generate"), std::string::npos) << help.out;
    const Finished nested = run({"models", "init", "--help"});
    EXPECT_NE(nested.out.find("magic-mirror models init"), std::string::npos) << nested.out;
    for (const std::string& preset : engine::checkpoint_presets())
        EXPECT_NE(nested.out.find(preset), std::string::npos) << nested.out;
    EXPECT_TRUE(version.err.empty() && help.err.empty());
}

TEST_F(CliTest, GenerateWritesAVideoThatDecodeMakesAgain) {
    const Finished finished = run({"generate",
                                   "--reference",
                                   photo(),
                                   "--prompt",
                                   "a man img",
                                   "--model",
                                   model(),
                                   "--frames",
                                   "9",
                                   "--size",
                                   "64x48",
                                   "--steps",
                                   "2",
                                   "--json",
                                   "--latents",
                                   file("l.safetensors"),
                                   "--preview-dir",
                                   file("previews"),
                                   "-o",
                                   file("out.mp4")});
    ASSERT_EQ(finished.code, 0) << finished.err;
    const auto events = events_in(finished.out);
    ASSERT_GT(events.size(), 4u);
    EXPECT_EQ(events.back(), (nlohmann::json{{"event", "done"}, {"output", file("out.mp4")}}));
    const bool denoised = std::any_of(events.begin(), events.end(), [](const auto& event) {
        return event.at("event") == "progress" && event.at("stage") == "denoise" && event.at("step") == 2 &&
               event.at("steps") == 2 && event.contains("seconds_left");
    });
    EXPECT_TRUE(denoised);
    EXPECT_TRUE(std::filesystem::exists(file("previews/step-0002-00.png")));

    const auto video = media::read_video(file("out.mp4"));
    ASSERT_TRUE(video) << video.error().detail;
    EXPECT_EQ(video.value().frames.size(), 9u);
    EXPECT_EQ(video.value().info.width, 64);
    EXPECT_NE(video.value().info.recipe.find("a man img"), std::string::npos);

    const Finished again = run({"decode", file("l.safetensors"), "--model", model(), "-o", file("again.mp4")});
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(bytes_of(file("out.mp4")), bytes_of(file("again.mp4")));
}

TEST_F(CliTest, ImageWritesAPictureWithItsRecipe) {
    const Finished finished = run({"image", "--reference", photo(), "--prompt", "rain", "--model", model(), "--size",
                                   "64x48", "--steps", "1", "-o", file("out.png")});
    ASSERT_EQ(finished.code, 0) << finished.err;
    expect_one_line(finished, "warning: ");  // Nobody is named in the prompt.
    const auto picture = face::read_photograph(file("out.png"));
    ASSERT_TRUE(picture) << picture.error().detail;
    EXPECT_EQ(picture.value().width, 64);
    EXPECT_EQ(picture.value().height, 48);
    const auto recipe = media::read_png_recipe(file("out.png"));
    ASSERT_TRUE(recipe);
    EXPECT_NE(recipe.value().find("rain"), std::string::npos);
}

TEST_F(CliTest, ReferencesWithoutAMethodAreNotLookedAt) {
    const Finished finished = run({"image", "--method", "none", "--reference", file("absent.jpg"), "--prompt", "rain",
                                   "--model", model(), "--size", "64x48", "--steps", "1", "-o", file("out.png")});
    EXPECT_EQ(finished.code, 0);
    expect_one_line(finished, "warning: --reference");
}

TEST_F(CliTest, APictureIsNotMadeOfManyFrames) {
    const auto latents = file("l.safetensors");
    ASSERT_EQ(run({"generate", "--method", "none", "--prompt", "a man", "--model", model(), "--frames", "9", "--size",
                   "64x48", "--steps", "1", "--latents", latents, "-o", file("out.mp4")})
                  .code,
              0);
    const Finished finished = run({"decode", latents, "--model", model(), "--json", "-o", file("out.PNG")});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "out.PNG");
    for (const auto& event : events_in(finished.out)) EXPECT_FALSE(event.contains("step") && event.at("step") > 0);
}

TEST_F(CliTest, PreviewsReplaceNoFileOfTheRun) {
    const auto previews = file("previews");
    const auto input = previews + "/step-0001-00.png";
    std::filesystem::create_directory(previews);
    std::filesystem::copy_file(photo(), input);
    const Finished finished =
        run({"generate", "--reference", input, "--prompt", "a man img", "--model", model(), "--frames", "9", "--size",
             "64x48", "--steps", "3", "--preview-dir", previews, "-o", file("out.mp4")});
    EXPECT_EQ(finished.code, 0);
    expect_one_line(finished, "step-0001-00.png");
    EXPECT_EQ(bytes_of(input), bytes_of(photo()));
    EXPECT_TRUE(std::filesystem::exists(previews + "/step-0002-00.png"));
}

// It draws people and says so where it is given a photograph.
TEST_F(CliTest, BuiltinModelIsTheDefault) {
    const auto drawn = [&](const std::string& reference, const std::string& out) {
        return run({"image", "--reference", reference, "--prompt", "a man img is smiling in the park", "--steps", "2",
                    "--json", "-o", file(out)});
    };
    const Finished otto = drawn(MIRROR_SOURCE_DIR "/resources/examples/drawn-otto.png", "otto.png");
    EXPECT_EQ(otto.code, 0) << otto.err;
    EXPECT_EQ(otto.out.find("cartoon people"), std::string::npos) << otto.out;
    const Finished photograph = drawn(photo(), "photograph.png");
    EXPECT_EQ(photograph.code, 0) << photograph.err;
    EXPECT_NE((photograph.out + photograph.err).find("cartoon people"), std::string::npos) << photograph.out;
    EXPECT_TRUE(std::filesystem::exists(file("photograph.png")));
}

TEST_F(CliTest, CtrlCStopsWithNothingLeft) {
    const LaunchOptions options{
        cache_.path(), [](const std::string& out) { return out.find("\"denoise\",\"step\":1,") != std::string::npos; }};
    const Finished finished =
        launch({"generate", "--method", "none", "--prompt", "a man", "--model", model(), "--frames", "9", "--size",
                "64x48", "--steps", "250", "--json", "-o", file("out.mp4")},
               options);
    EXPECT_EQ(finished.code, 130) << finished.out << finished.err;
    expect_one_line(finished, "stopped");
    EXPECT_TRUE(files_left().empty());
    EXPECT_EQ(events_in(finished.out).back().at("event"), "failed");
}

TEST_F(CliTest, FaceReportsEveryPhotographAndItsCrops) {
    const Finished finished = run({"face", photo(), file("missing.jpg"), "--json", "--crops", file("crops")});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "missing.jpg");
    const auto objects = events_in(finished.out);
    ASSERT_EQ(objects.size(), 1u);
    EXPECT_EQ(objects[0].at("file"), photo());
    EXPECT_EQ(objects[0].at("width"), 512);
    ASSERT_EQ(objects[0].at("faces").size(), 1u);
    const auto& found = objects[0].at("faces")[0];
    EXPECT_EQ(found.at("box").size(), 4u);
    EXPECT_EQ(found.at("landmarks").size(), 5u);
    EXPECT_LT(found.at("landmarks")[0][0], found.at("landmarks")[1][0]);
    EXPECT_TRUE(found.at("score").is_number());
    for (const int side : {112, 224}) {
        const auto crop = face::read_photograph(file("crops/astronaut-1-" + std::to_string(side) + ".png"));
        ASSERT_TRUE(crop) << crop.error().detail;
        EXPECT_EQ(crop.value().width, side);
    }
}

TEST_F(CliTest, NoFaceIsNoFailure) {
    ASSERT_TRUE(media::write_png(file("grey.png"), {64, 64, std::vector<std::uint8_t>(64 * 64 * 3, 128)}));
    const Finished finished = run({"face", file("grey.png"), "--json"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_TRUE(finished.err.empty());
    EXPECT_EQ(events_in(finished.out).at(0).at("faces"), nlohmann::json::array());

    const Finished refused = run({"generate", "--reference", file("grey.png"), "--prompt", "a man img", "--model",
                                  model(), "-o", file("out.mp4")});
    EXPECT_EQ(refused.code, 1);
    expect_one_line(refused, "grey.png");
}

TEST_F(CliTest, ModelsAreMadeDescribedAndVerified) {
    ASSERT_EQ(run({"models", "init", "--preset", "tiny", "--seed", "3", file("new")}).code, 0);
    const Finished info = run({"models", "info", file("new")});
    EXPECT_EQ(info.code, 0) << info.err;
    EXPECT_NE(info.out.find("314448"), std::string::npos) << info.out;
    EXPECT_EQ(run({"models", "verify", file("new")}).code, 0);
    const auto weights = file("new/vae/diffusion_pytorch_model.safetensors");
    std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 1);
    const Finished broken = run({"models", "verify", file("new")});
    EXPECT_EQ(broken.code, 1);
    expect_one_line(broken, "diffusion_pytorch_model.safetensors");
    const Finished list = run({"models", "list"});
    EXPECT_EQ(list.code, 0);
    EXPECT_FALSE(list.out.empty());
}

TEST_F(CliTest, ModelsReportAsJson) {
    const auto installed = cache_.path() / "magic-mirror" / "models";  // XDG_DATA_HOME is the cache here.
    std::filesystem::create_directories(installed);
    std::filesystem::create_directory_symlink(model(), installed / "tiny");
    const Finished list = run({"models", "list", "--json"});
    ASSERT_EQ(list.code, 0) << list.err;
    auto models = events_in(list.out);
    EXPECT_EQ(std::erase_if(models, is_builtin), 1u) << list.out;
    ASSERT_EQ(models.size(), 1u) << list.out;
    EXPECT_EQ(models[0].at("path"), (installed / "tiny").string());
    EXPECT_TRUE(models[0].at("random_weights"));
    EXPECT_TRUE(models[0].at("missing").empty());
    EXPECT_GT(models[0].at("bytes"), 1000);
    EXPECT_EQ(models[0].at("parts").size(), 7u);

    const auto verified = events_in(run({"models", "verify", "--json", model()}).out);
    ASSERT_EQ(verified.size(), 1u);
    EXPECT_TRUE(verified[0].at("whole"));
    const auto failed = events_in(run({"models", "info", "--json", file("nowhere")}).out);
    ASSERT_EQ(failed.size(), 1u);
    EXPECT_EQ(failed[0].at("event"), "failed");

    std::filesystem::create_directories(file("bare"));
    for (const char* part : {"transformer", "vae", "text_encoder", "scheduler"})
        std::filesystem::copy(model() + "/" + part, file("bare") + "/" + part);
    const Finished bare = run({"models", "info", file("bare")});
    EXPECT_NE(bare.out.find("missing        tokenizer/"), std::string::npos) << bare.out << bare.err;
    EXPECT_NE(bare.out.find("missing        id_perceiver/"), std::string::npos) << bare.out;
}

TEST_F(CliTest, VerifySaysWhatAFileIs) {
    const std::vector<std::pair<std::string, std::string>> kinds{
        {"/transformer/diffusion_pytorch_model.safetensors", "CogVideoX transformer"},
        {"/vae/diffusion_pytorch_model.safetensors", "CogVideoX VAE"},
        {"/text_encoder/model.safetensors", "T5 encoder"},
        {"/image_encoder/model.safetensors", "CLIP vision tower"},
        {"/id_perceiver/model.safetensors", "identity perceiver"},
        {"/recognizer/model.safetensors", "face recogniser"},
        {"/adapter/adapter.safetensors", "Magic Mirror adapter"},
        {"/tokenizer/spiece.model", "SentencePiece vocabulary"}};
    for (const auto& [name, kind] : kinds) {
        // By content: the name says nothing.
        std::filesystem::copy_file(model() + name, file("thing"), std::filesystem::copy_options::overwrite_existing);
        const Finished finished = run({"models", "verify", "--json", file("thing")});
        ASSERT_EQ(finished.code, 0) << kind << finished.err;
        const auto event = events_in(finished.out).at(0);
        EXPECT_EQ(event.at("kind"), kind);
        EXPECT_EQ(event.at("sha256").get<std::string>().size(), 64u);
    }
    const Finished archive = run({"models", "verify", MIRROR_SOURCE_DIR "/tests/golden/torch_save.pt"});
    EXPECT_NE(archive.out.find("PyTorch checkpoint"), std::string::npos) << archive.out << archive.err;
}

TEST_F(CliTest, ImportRefusesWhatIsNoPhotoMaker) {
    const Finished finished =
        run({"models", "import", MIRROR_SOURCE_DIR "/tests/golden/torch_save.pt", "-o", file("out")});
    EXPECT_EQ(finished.code, 1);
    expect_one_line(finished, "id_encoder");
    EXPECT_TRUE(files_left().empty());
}

TEST_F(CliTest, AStageWritesTheSameBytesTwice) {
    for (const char* name : {"first", "second"}) {
        const Finished finished = run({"run-stage", "mm-tokenize", "--model", model(), "--text", "a man img",
                                       "--max-length", "16", "--adapter", adapter(), "--outputs", file(name)});
        EXPECT_EQ(finished.code, 0) << finished.err;
        EXPECT_TRUE(finished.err.empty()) << finished.err;
        EXPECT_TRUE(finished.out.empty()) << finished.out;
    }
    EXPECT_EQ(bytes_of(file("first")), bytes_of(file("second")));
}

TEST_F(CliTest, AStageWarnsOnOneLineAndSucceeds) {
    const Finished finished =
        run({"run-stage", "mm-tokenize", "--model", model(), "--text", "rain", "--outputs", file("out")});
    EXPECT_EQ(finished.code, 0);
    expect_one_line(finished, "warning: ");
}

TEST_F(CliTest, ValuesMayLookLikeOptionsAndBeEmpty) {
    const Finished dashed = run({"run-stage", "tokenize", "--model", model(), "--text", "--not an option",
                                 "--text=", "--outputs", file("out")});
    EXPECT_EQ(dashed.code, 0) << dashed.err;
    EXPECT_TRUE(std::filesystem::exists(file("out")));
}

}  // namespace mirror::cli::testing
