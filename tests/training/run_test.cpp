// The training loop: cut runs equal uncut ones, states come in small parts, and nothing good is lost.

#include <gtest/gtest.h>

#include <c10/core/GradMode.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "engine/core/result.h"
#include "engine/session/model_folder.h"
#include "engine/training/drawn_data.h"
#include "engine/training/model_writer.h"
#include "engine/training/training_state.h"
#include "engine/weights/weight_store.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/tiny_recipes.h"

namespace mirror::engine::training {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
}

// Asks for a stop once so many samples are done.
TrainingReport run_until(const TinyRun& run, std::int64_t samples, bool resume) {
    std::stop_source source;
    Watched watched;
    TrainingObserver observer = watched.observer();
    observer.tell = [&](const TrainingProgress& progress) {
        if (progress.samples >= samples) source.request_stop();
    };
    TrainingOptions options;
    options.resume = resume;
    options.stop = source.get_token();
    return train(run.recipe(), options, observer);
}

TEST(Run, CutInTheMiddleEqualsUncut) {
    const testing::ScratchFolder folder;
    TinyRun whole = TinyRun::vae(folder.path() / "whole"), cut = TinyRun::vae(folder.path() / "cut");
    Watched watched;
    const TrainingReport report = train(whole.recipe(), {}, watched.observer());
    EXPECT_TRUE(report.finished);
    EXPECT_EQ(watched.progress.size(), 4U);
    EXPECT_THROW(run_until(cut, 4, false), EngineError);
    EXPECT_TRUE(has_state(cut.output / "training"));
    TrainingOptions options;
    options.resume = true;
    EXPECT_TRUE(train(cut.recipe(), options, watched.observer()).finished);
    const fs::path model = fs::path("vae") / "diffusion_pytorch_model.safetensors";
    EXPECT_EQ(bytes_of(whole.output / model), bytes_of(cut.output / model));
    for (const auto& entry : fs::directory_iterator(whole.output / "training")) {
        const fs::path name = entry.path().filename();
        if (name.extension() != ".safetensors") continue;
        EXPECT_EQ(bytes_of(entry.path()), bytes_of(cut.output / "training" / name)) << name;
    }
}

// The last report of a run puts something in the way of its last save.
void run_until_it_cannot_write(const TinyRun& run, const std::function<void()>& spoil, bool spoil_picture) {
    Watched watched;
    TrainingObserver observer = watched.observer();
    observer.tell = [&](const TrainingProgress& progress) {
        if (progress.samples == run.samples) spoil();
    };
    observer.write_picture = [&](const fs::path& file, const Frame&) {
        if (spoil_picture) throw EngineError(ErrorCode::WriteFailed, "Cannot write " + file.string() + ".");
    };
    EXPECT_THROW(train(run.recipe(), {}, observer), EngineError);
}

TEST(Run, WritesItsModelAgainAfterALastSaveThatFailed) {
    const testing::ScratchFolder folder;
    const fs::path model = fs::path("vae") / "diffusion_pytorch_model.safetensors";
    TinyRun whole = TinyRun::vae(folder.path() / "whole");
    whole.samples = 4;
    Watched watched;
    train(whole.recipe(), {}, watched.observer());
    for (const bool spoil_picture : {false, true}) {
        TinyRun run = whole;
        run.output = folder.path() / (spoil_picture ? "picture" : "model");
        const auto spoil = [&] {
            if (!spoil_picture) write_text(run.output / "vae", "in the way");
        };
        run_until_it_cannot_write(run, spoil, spoil_picture);
        if (!spoil_picture) fs::remove(run.output / "vae");
        TrainingOptions options;
        options.resume = true;
        EXPECT_TRUE(train(run.recipe(), options, watched.observer()).finished);
        EXPECT_EQ(bytes_of(whole.output / model), bytes_of(run.output / model)) << spoil_picture;
        EXPECT_TRUE(has_state(run.output / "training"));
    }
}

TEST(Run, RefusesAnOutputInsideItsInput) {
    const testing::ScratchFolder folder;
    fs::create_directory_symlink(folder.path(), folder.path() / "link");
    for (const fs::path& output : {folder.path() / "in" / "out", folder.path() / "link" / "in" / "a" / ".." / "out"}) {
        TinyRun run = TinyRun::vae(output);
        run.input = folder.path() / "in";
        fs::create_directories(run.input);
        Watched watched;
        try {
            train(run.recipe(), {}, watched.observer());
            FAIL() << "ran";
        } catch (const EngineError& error) {
            EXPECT_NE(std::string(error.what()).find("inside of its input"), std::string::npos) << error.what();
        }
        EXPECT_TRUE(fs::is_empty(run.input));
    }
}

// What is written is the average, so the factor that goes with it has to be the average's, too.
TEST(Run, ScalesLatentsOfTheWeightsThatItWrites) {
    const c10::NoGradGuard no_gradients;
    const testing::ScratchFolder folder;
    TinyRun run = TinyRun::vae(folder.path() / "o");
    run.rate = 0.05;
    run.further = R"(, "optimizer": {"ema": 0.5})";
    Watched watched;
    train(run.recipe(), {}, watched.observer());
    const ModelFolder model(run.output, {}, WeightCheck::Finite);
    const CogVideoXVae vae = model.vae(VaeParts::Whole);
    std::vector<at::Tensor> latents;
    for (std::int64_t i = 0; i < 32; ++i) {
        const Recipe recipe = run.recipe();
        const auto scene =
            drawn_scene(DrawnOptions::read(recipe.file.object("data")), people::Split::Validation, ~recipe.seed, i, 1);
        latents.push_back(vae.encode(to_signal(draw(scene).pixels).unsqueeze(0)).mean);
    }
    const double deviation = at::stack(latents).square().mean().sqrt().item<double>();
    EXPECT_NEAR(vae.config().scaling_factor * deviation, 1.0, 0.01);
}

TEST(Run, AsksBeforeItGoesOn) {
    const testing::ScratchFolder folder;
    TinyRun run = TinyRun::vae(folder.path() / "o");
    run.samples = 2;
    Watched watched;
    train(run.recipe(), {}, watched.observer());
    EXPECT_THROW(train(run.recipe(), {}, watched.observer()), EngineError);
    run.rate = 1e-4;
    TrainingOptions options;
    options.resume = true;
    EXPECT_TRUE(train(run.recipe(), options, watched.observer()).finished);
    ASSERT_EQ(watched.notices.size(), 1U);
    EXPECT_NE(watched.notices[0].find("recipe has changed"), std::string::npos);
}

TEST(Run, EndsWithItsTime) {
    const testing::ScratchFolder folder;
    TinyRun run = TinyRun::vae(folder.path() / "o");
    TrainingOptions options;
    options.seconds = 0.0;
    Watched watched;
    const TrainingReport report = train(run.recipe(), options, watched.observer());
    EXPECT_FALSE(report.finished);
    EXPECT_TRUE(has_state(run.output / "training"));
}

TEST(Run, StopsAtNoNumberAndKeepsTheLastState) {
    const testing::ScratchFolder folder;
    TinyRun run = TinyRun::vae(folder.path() / "o");
    run.samples = 4;
    Watched watched;
    train(run.recipe(), {}, watched.observer());
    // A state whose weights are broken: the next loss is no number.
    const fs::path part = run.output / "training" / "state-0000000004-000.safetensors";
    TensorMap rows = load_tensors(part);
    rows.at("weights:0").fill_(std::nanf(""));
    save_tensors(part, rows);
    const std::string before = bytes_of(part);
    run.samples = 8;
    TrainingOptions options;
    options.resume = true;
    try {
        train(run.recipe(), options, watched.observer());
        FAIL() << "went on";
    } catch (const EngineError& error) {
        EXPECT_EQ(error.code(), ErrorCode::Internal);
        EXPECT_NE(std::string(error.what()).find("after 4 samples is kept"), std::string::npos) << error.what();
    }
    EXPECT_EQ(bytes_of(part), before);
}

TEST(State, ComesInPartsAndRefusesAnotherModel) {
    const testing::ScratchFolder folder;
    const auto store_of = [](std::int64_t size) {
        const std::vector<ShapeRecorder::Entry> entries = {{"w", {size}}};
        return std::make_shared<TrainableStore>(
            entries, [](const std::string&, at::IntArrayRef shape) { return at::rand(shape); }, at::kCPU);
    };
    const AdamW large(store_of(5'000'000), {});
    save_state(folder.path(), {"vae", "0", 12, 3}, large);
    int parts = 0;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        EXPECT_LE(entry.file_size(), std::uintmax_t{15} << 20);
        parts += entry.path().extension() == ".safetensors" ? 1 : 0;
    }
    EXPECT_EQ(parts, 6);  // 80 MB.
    AdamW again(store_of(5'000'000), {});
    const RunPosition position = load_state(folder.path(), again);
    EXPECT_EQ(position.samples, 12);
    EXPECT_EQ(again.steps(), 3);
    EXPECT_TRUE(again.average().equal(large.average()));
    AdamW other(store_of(4'000'000), {});
    EXPECT_THROW(load_state(folder.path(), other), EngineError);
}

}  // namespace
}  // namespace mirror::engine::training
