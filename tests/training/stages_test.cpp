// Every stage at tiny size: it runs, it learns, it writes a folder that the engine opens, and it leaves alone what is
// frozen.

#include <gtest/gtest.h>

#include <map>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/session/model_folder.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/tiny_recipes.h"

namespace mirror::engine::training {
namespace {

namespace fs = std::filesystem;

TinyRun tiny_stage(const std::string& stage, const fs::path& output) {
    TinyRun run;
    run.stage = stage;
    run.input = tiny_model();
    run.output = output;
    return run;
}

std::string fingerprint(const fs::path& folder, const std::string& part) {
    return ModelFolder(folder, {}, WeightCheck::None).store(part)->fingerprint();
}

TEST(Stages, RecogniserTowerAndPerceiverRun) {
    const testing::ScratchFolder folder;
    Watched watched;
    const std::vector<std::pair<std::string, std::string>> stages = {
        {"recognizer", "recognizer"}, {"clip-tower", "image_encoder"}, {"id-perceiver", "id_perceiver"}};
    for (const auto& [stage, part] : stages) {
        TinyRun run = tiny_stage(stage, folder.path() / stage);
        run.data = R"({"people": 8, "size": 48})";
        run.losses = stage == "clip-tower" ? R"({"contrast": 0.5})" : "{}";
        run.samples = 4;
        const TrainingReport report = train(run.recipe(), {}, watched.observer());
        EXPECT_TRUE(report.finished) << stage;
        EXPECT_NE(fingerprint(run.output, part), fingerprint(run.input, part)) << stage;
        EXPECT_EQ(fingerprint(run.output, "transformer"), fingerprint(run.input, "transformer")) << stage;
    }
}

// The tokens of captions soon tell what the person does. Chance is one in ten, and 256 captions have some 3,000 tokens.
TEST(Stages, TextEncoderLearnsActions) {
    const testing::ScratchFolder folder;
    TinyRun run = tiny_stage("text-encoder", folder.path() / "text");
    run.data = "{}";
    run.samples = 4800;
    run.batch = 32;
    run.rate = 8e-3;
    run.further = R"(, "optimizer": {"ema": 0.9, "beta2": 0.99})";
    Watched watched;
    const TrainingReport report = train(run.recipe(), {}, watched.observer());
    EXPECT_TRUE(report.finished);
    std::map<std::string, double> held_out(report.evaluation.begin(), report.evaluation.end());
    EXPECT_GT(held_out["held_out_action"], 0.15);
    EXPECT_GT(held_out["held_out_place"], 0.15);
    EXPECT_EQ(fingerprint(run.output, "transformer"), fingerprint(run.input, "transformer"));
    EXPECT_NE(fingerprint(run.output, "text_encoder"), fingerprint(run.input, "text_encoder"));
}

// Near what the input says where that is asked for.
TEST(Stages, TextEncoderStaysNearItsInput) {
    const testing::ScratchFolder folder;
    std::map<bool, double> change;
    for (const bool keeps : {false, true}) {
        TinyRun run = tiny_stage("text-encoder", folder.path() / (keeps ? "near" : "far"));
        run.data = "{}";
        run.losses = keeps ? R"({"keep": 50.0})" : R"({"keep": 0.0001, "fresh_attention": true})";
        run.samples = 320;
        run.batch = 32;
        Watched watched;
        EXPECT_TRUE(train(run.recipe(), {}, watched.observer()).finished);
        for (const auto& [name, value] : watched.progress.back().measures)
            if (name == "change") change[keeps] = value;
    }
    EXPECT_LT(change[true], 0.2 * change[false]);
}

TEST(Stages, BaseLearnsAFewPictures) {
    const testing::ScratchFolder folder;
    TinyRun run = tiny_stage("base", folder.path() / "base");
    run.data = R"({"width": 32, "height": 32, "items": 2})";
    run.losses = R"({"text_dropout": 0.1})";
    run.samples = 480;
    run.batch = 8;
    run.rate = 3e-3;
    Watched watched;
    const TrainingReport report = train(run.recipe(), {}, watched.observer());
    EXPECT_TRUE(report.finished);
    EXPECT_LT(watched.mean_loss(50, 60), 0.9 * watched.mean_loss(0, 10));
    EXPECT_EQ(fingerprint(run.output, "vae"), fingerprint(run.input, "vae"));
    const ModelFolder model(run.output, {}, WeightCheck::Finite);
    EXPECT_EQ(model.transformer().config().num_layers, 4);
    EXPECT_TRUE(fs::exists(run.output / "model_index.json"));
}

TEST(Stages, AdapterTrainsOnlyItself) {
    const testing::ScratchFolder folder;
    TinyRun run = tiny_stage("adapter", folder.path() / "adapter");
    run.data = R"({"width": 32, "height": 32, "items": 3, "frames": 5, "still_share": 0.3})";
    run.losses = R"({"references": 3, "references_at_once": 3, "identity": 0.1, "drop_face": 0.3})";
    run.samples = 12;
    run.batch = 4;
    Watched watched;
    EXPECT_TRUE(train(run.recipe(), {}, watched.observer()).finished);
    for (const char* part : {"transformer", "text_encoder", "vae", "image_encoder", "id_perceiver", "recognizer"})
        EXPECT_EQ(fingerprint(run.output, part), fingerprint(run.input, part)) << part;
    const auto adapter = magic_mirror::AdapterFile::open(run.output / "adapter" / "adapter.safetensors");
    EXPECT_EQ(adapter.config().dit.num_layers, 4);
    EXPECT_EQ(adapter.metadata().at("stage"), "video");
    EXPECT_NE(adapter.fingerprint(),
              magic_mirror::AdapterFile::open(run.input / "adapter" / "adapter.safetensors").fingerprint());
}

// The same run with the blocks made again for their gradient.
TEST(Stages, CheckpointedRunsAreTheSame) {
    const testing::ScratchFolder folder;
    for (const char* stage : {"base", "adapter"}) {
        TinyRun run = tiny_stage(stage, folder.path() / stage / "kept");
        run.data = R"({"width": 32, "height": 32, "items": 3, "frames": 5, "still_share": 0.5})";
        run.samples = 6;
        run.further = R"(, "precision": "bf16")";
        TinyRun again = run;
        again.output = folder.path() / stage / "again";
        again.further += R"(, "checkpoint": true)";
        Watched watched;
        EXPECT_TRUE(train(run.recipe(), {}, watched.observer()).finished);
        EXPECT_TRUE(train(again.recipe(), {}, watched.observer()).finished);
        const auto made = [&](const fs::path& output) {
            if (std::string(stage) == "base") return fingerprint(output, "transformer");
            return magic_mirror::AdapterFile::open(output / "adapter" / "adapter.safetensors").fingerprint();
        };
        EXPECT_EQ(made(run.output), made(again.output)) << stage;
    }
}

struct Parted {
    const char* stage;
    const char* data;
    const char* losses;
    int batch = 5, part = 3;
};

// Loss and gradient of one batch, whole and in two parts of different sizes.
TEST(Stages, MicroBatchesAddUp) {
    const testing::ScratchFolder folder;
    const char* clips = R"({"width": 32, "height": 32, "items": 3, "frames": 5, "still_share": 0.5, "styles": 0.2})";
    const char* pairs = R"({"width": 32, "height": 32, "items": 4, "frames": 5, "still_share": 0.5, "pairs": true})";
    const std::vector<Parted> all = {
        {"vae", R"({"width": 48, "height": 48, "crop": 32, "frames": 9, "still_share": 0.5})",
         R"({"face": 2.0, "motion": 1.0})"},
        {"recognizer", R"({"people": 8, "size": 48})", "{}"},
        {"id-perceiver", R"({"people": 8, "size": 48})", "{}"},
        {"text-encoder", R"({"moving_camera": 0.5})", R"({"keep": 2.0, "fresh_attention": true})"},
        {"base", clips, R"({"text_dropout": 0.3, "face_share": 0.5})"},
        {"base", pairs, R"({"text_dropout": 0.3, "face_share": 0.5, "pair": 2.0, "noisy_share": 0.8, "meaning": 0.5})",
         6, 4},
        {"adapter", clips, R"({"references": 3, "references_at_once": 3, "identity": 1.0, "drop_face": 0.3})"},
        {"judge", R"({"people": 8, "frames": 2, "pictures_per_clip": 3})", "{}"}};
    for (const auto& [stage, data, losses, batch, part] : all) {
        std::vector<Measures> measures;
        for (const int size : {batch, part}) {
            const auto place = std::to_string(batch) + "-" + std::to_string(size);
            TinyRun run = TinyRun::vae(folder.path() / stage / place);
            if (std::string(stage) != "vae") run = tiny_stage(stage, run.output);
            if (std::string(stage) == "judge") run.model = R"({"id_dim": 8, "width": 8, "frame_width": 8})";
            if (std::string(stage) == "judge") run.input.clear();
            run.data = data;
            run.losses = losses;
            run.samples = run.batch = batch;
            // With the seed 1 the identity loss lies on a kink of the recogniser, and the last bit chooses the side.
            run.further = ", \"seed\": 2, \"micro_batch\": " + std::to_string(size);
            Watched watched;
            EXPECT_TRUE(train(run.recipe(), {}, watched.observer()).finished);
            measures.push_back(watched.progress.back().measures);
        }
        // Loss and norm of the gradient: float32 sums in another order.
        for (const auto& [whole, parted] :
             {std::pair(measures[0].front(), measures[1].front()), std::pair(measures[0].back(), measures[1].back())})
            EXPECT_NEAR(parted.second, whole.second, 1e-4 * whole.second) << stage << " " << whole.first;
    }
}

TEST(Stages, AdapterTrainsWithSwitchesOff) {
    const testing::ScratchFolder folder;
    Watched watched;
    for (const char* switches :
         {R"("can": "off")", R"("text_fuse": "off")", R"("face_in_sa": "off", "face_in_ca": "off", "phi_face": "off")",
          R"("multi_ref_text": "mean", "multi_ref_face": "mean")"}) {
        TinyRun run = tiny_stage("adapter", folder.path() / std::to_string(watched.progress.size()));
        run.data = R"({"width": 32, "height": 32, "items": 3})";
        run.model = std::string(R"({"preset": "tiny", "switches": {)") + switches + "}}";
        run.losses = R"({"references": 2, "references_at_once": 2})";
        run.samples = 8;
        const TrainingReport report = train(run.recipe(), {}, watched.observer());
        EXPECT_TRUE(report.finished) << switches;
        ASSERT_EQ(report.evaluation.size(), 4U);
        EXPECT_EQ(report.evaluation[2].first, "held_out_identity");
        const auto adapter = magic_mirror::AdapterFile::open(run.output / "adapter" / "adapter.safetensors");
        EXPECT_NE(adapter.config().switches, magic_mirror::Switches()) << switches;
    }
    TinyRun wrong = tiny_stage("adapter", folder.path() / "wrong");
    wrong.data = R"({"width": 32, "height": 32, "items": 3})";
    wrong.model = R"({"preset": "tiny", "switches": {"cam": "off"}})";
    EXPECT_THROW(train(wrong.recipe(), {}, watched.observer()), EngineError);
}

TEST(Stages, RandomWeightsTakeOneStepAndKeepNothing) {
    const testing::ScratchFolder folder;
    for (const char* stage : {"base", "adapter"}) {
        TinyRun run = tiny_stage(stage, folder.path() / stage);
        run.input = folder.path() / "nowhere";
        run.data = R"({"folder": "nowhere", "width": 32, "height": 32, "frames": 9})";
        run.further = R"(, "checkpoint": true, "precision": "bf16")";
        Recipe recipe = run.recipe();
        recipe.random_weights = true;
        Watched watched;
        const TrainingReport report = train(recipe, {}, watched.observer());
        EXPECT_EQ(report.samples, 2);
        ASSERT_EQ(watched.progress.size(), 1U);
        EXPECT_FALSE(fs::exists(run.output));
    }
}

}  // namespace
}  // namespace mirror::engine::training
