// The whole way from a request to frames on the tiny checkpoint.

#include <algorithm>
#include <limits>
#include <new>

#include "engine/session/latents_file.h"
#include "engine/weights/tensor_file.h"
#include "tests/session/session_fixture.h"

namespace mirror::engine::testing {

namespace {

at::Tensor latents_in(const std::filesystem::path& file) { return load_latents(file).latents; }

}  // namespace

TEST_F(SessionTest, TheSameRequestGivesTheSameFrames) {
    MemorySink first, second;
    ASSERT_TRUE(run(request(), first, "a"));
    ASSERT_TRUE(run(request(), second, "b"));
    EXPECT_TRUE(first.finished);
    EXPECT_EQ(first.frames.size(), 9u);
    EXPECT_EQ(first.frames.front().size(), 32u * 32u * 3u);
    EXPECT_EQ(first.frames, second.frames);
    EXPECT_TRUE(at::equal(latents_in(file("a")), latents_in(file("b"))));
}

TEST_F(SessionTest, EverySettingThatMattersChangesTheLatents) {
    MemorySink base_sink;
    ASSERT_TRUE(run(request(), base_sink, "base"));
    const at::Tensor base = latents_in(file("base"));
    using Change = std::function<void(GenerationRequest&)>;
    const std::vector<std::pair<std::string, Change>> changes{
        {"seed", [](GenerationRequest& r) { r.sampling.seed = 8; }},
        {"guidance", [](GenerationRequest& r) { r.sampling.guidance = 3; }},
        {"dynamic", [](GenerationRequest& r) { r.sampling.dynamic_guidance = DynamicGuidance::Off; }},
        {"sampler", [](GenerationRequest& r) { r.sampling.sampler = SamplerKind::Ddim; }},
        {"prompt", [](GenerationRequest& r) { r.prompt.positive = "a man img cries"; }},
        {"negative", [](GenerationRequest& r) { r.prompt.negative = "rain"; }},
        {"person",
         [](GenerationRequest& r) {
             r.references = {{"berta.jpg", {}}};
         }},
        {"people",
         [](GenerationRequest& r) {
             r.references.push_back({"berta.jpg", {}});
         }},
        {"strength", [](GenerationRequest& r) { r.identity.value = 0.5; }},
        {"range",
         [](GenerationRequest& r) {
             r.identity = {1.0, 2, 3};
         }},
        {"method", [](GenerationRequest& r) { r.method = Method::None; }},
        {"precision", [](GenerationRequest& r) { r.precision = Precision::Bf16; }},
    };
    for (const auto& [name, change] : changes) {
        GenerationRequest changed = request();
        change(changed);
        MemorySink sink;
        const auto report = run(changed, sink, name);
        ASSERT_TRUE(report) << name << ": " << report.error().detail;
        EXPECT_FALSE(at::equal(latents_in(file(name)), base)) << name;
    }
}

TEST_F(SessionTest, StrengthZeroIsTheBaseModelBitForBit) {
    GenerationRequest with = request(), without = request();
    with.identity.value = 0;
    without.method = Method::None;
    without.references.clear();
    MemorySink first, second;
    ASSERT_TRUE(run(with, first, "zero"));
    ASSERT_TRUE(run(without, second, "none"));
    EXPECT_TRUE(at::equal(latents_in(file("zero")), latents_in(file("none"))));
    EXPECT_EQ(first.frames, second.frames);
}

// Of the adapter, not the usual one.
TEST_F(SessionTest, StrengthZeroTakesTheAdaptersOwnTriggerOut) {
    TensorFile adapter = load_tensor_file(tiny_checkpoint() / "adapter" / "adapter.safetensors");
    std::string& config = adapter.metadata.at("config");
    const std::string usual = "\"switches\":{}";
    ASSERT_NE(config.find(usual), std::string::npos) << config;
    config.replace(config.find(usual), usual.size(), "\"switches\":{\"trigger_word\":\"sks\"}");
    adapter.metadata["trigger_word"] = "sks";
    save_tensors(file("adapter"), adapter.tensors, adapter.metadata);
    GenerationRequest with = request(), without = request();
    with.adapter = file("adapter");
    with.prompt.positive = "a man sks smiles";
    with.identity.value = 0;
    without.method = Method::None;
    without.prompt.positive = "a man smiles";
    without.references.clear();
    MemorySink first, second;
    ASSERT_TRUE(run(with, first, "zero"));
    ASSERT_TRUE(run(without, second, "none"));
    EXPECT_TRUE(at::equal(latents_in(file("zero")), latents_in(file("none"))));
}

TEST_F(SessionTest, LatentsAreOnDiskBeforeTheFirstFrame) {
    MemorySink sink;
    bool there = false;
    sink.at_begin = [&] { there = std::filesystem::exists(file("latents")); };
    const auto report = run(request(), sink);
    ASSERT_TRUE(report);
    EXPECT_TRUE(there);
    EXPECT_EQ(report.value().latents, file("latents"));
    EXPECT_EQ(latents_in(file("latents")).sizes().vec(), (std::vector<std::int64_t>{1, 4, 3, 4, 4}));
    const auto recipe = request_from_json(sink.recipe);
    ASSERT_TRUE(recipe) << recipe.error().detail;
    EXPECT_EQ(recipe.value().sampling.seed, 7u);
    EXPECT_EQ(load_latents(file("latents")).recipe, sink.recipe);
}

TEST_F(SessionTest, AFailedDecodingNamesTheLatentsAndDecodeFinishesTheWork) {
    MemorySink whole;
    ASSERT_TRUE(run(request(), whole, "whole"));
    MemorySink broken;
    broken.fail_at = 2;
    const auto report = run(request(), broken, "kept");
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::WriteFailed);
    EXPECT_NE(report.error().detail.find("kept.safetensors"), std::string::npos) << report.error().detail;

    MemorySink again;
    const auto decoded =
        session_->decode(file("kept"), tiny_checkpoint(), "cpu", Precision::Fp32, again, observer_, {});
    ASSERT_TRUE(decoded) << decoded.error().detail;
    EXPECT_EQ(again.frames, whole.frames);
    EXPECT_EQ(again.recipe, whole.recipe);
    EXPECT_EQ(again.spec, whole.spec);
}

TEST_F(SessionTest, WhateverEndsDecodingNamesTheLatents) {
    const std::vector<std::function<void()>> failures{[] { throw std::bad_alloc(); },
                                                      [] { TORCH_CHECK(false, "of libtorch"); }};
    for (const auto& failure : failures) {
        MemorySink broken;
        broken.at_begin = failure;
        const auto report = run(request(), broken, "kept");
        ASSERT_FALSE(report);
        EXPECT_NE(report.error().detail.find("kept.safetensors"), std::string::npos) << report.error().detail;
    }
}

TEST_F(SessionTest, APictureIsOneFrame) {
    GenerationRequest picture = request();
    picture.kind = OutputKind::Image;
    picture.video.frames = 1;
    MemorySink sink;
    ASSERT_TRUE(run(picture, sink));
    EXPECT_EQ(sink.frames.size(), 1u);
    EXPECT_EQ(latents_in(file("latents")).size(2), 1);
}

TEST_F(SessionTest, GuidanceOfOneNeedsNoNegativeRow) {
    GenerationRequest plain = request();
    plain.sampling.guidance = 1;
    MemorySink sink;
    EXPECT_TRUE(run(plain, sink));
}

TEST_F(SessionTest, AStopEndsWithinOneStep) {
    int steps_seen = 0;
    observer_.tell = [&](const ProgressEvent& event) {
        const auto* progress = std::get_if<Progress>(&event);
        if (progress == nullptr || progress->stage != Stage::Denoise || progress->step == 0) return;
        ++steps_seen;
        stop_.request_stop();
    };
    MemorySink sink;
    const auto report = run(request(), sink);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(steps_seen, 1);
    EXPECT_FALSE(std::filesystem::exists(file("latents")));
    EXPECT_TRUE(sink.frames.empty());
}

TEST_F(SessionTest, StagesComeInOrderAndPreviewsShowEveryLatentFrame) {
    std::vector<Stage> stages;
    std::vector<SharedPreview> previews;
    observer_.preview_every_steps = 2;
    observer_.tell = [&](const ProgressEvent& event) {
        if (const auto* progress = std::get_if<Progress>(&event);
            progress && (stages.empty() || stages.back() != progress->stage))
            stages.push_back(progress->stage);
        if (const auto* preview = std::get_if<SharedPreview>(&event)) previews.push_back(*preview);
    };
    MemorySink sink;
    ASSERT_TRUE(run(request(), sink));
    const std::vector<Stage> expected{Stage::LoadWeights,  Stage::ReadReferences, Stage::ReadIdentity,
                                      Stage::EncodePrompt, Stage::LoadWeights,    Stage::Denoise,
                                      Stage::Decode,       Stage::Write};
    EXPECT_EQ(stages, expected);
    ASSERT_EQ(previews.size(), 1u);
    EXPECT_EQ(previews[0]->step, 2);
    EXPECT_EQ(previews[0]->frames.size(), 3u);
    EXPECT_EQ(previews[0]->frames[0].width, 4);
    EXPECT_NEAR(previews[0]->frames_per_second, 3 / (9 / 8.0), 1e-9);
}

TEST_F(SessionTest, PreviewsChangeNothing) {
    MemorySink without, with;
    ASSERT_TRUE(run(request(), without, "a"));
    observer_.preview_every_steps = 1;
    observer_.tell = [](const ProgressEvent&) {};
    ASSERT_TRUE(run(request(), with, "b"));
    EXPECT_EQ(without.frames, with.frames);
}

TEST_F(SessionTest, RefusalsNameWhatIsWrong) {
    using Change = std::function<void(GenerationRequest&)>;
    struct Case {
        std::string fragment;
        ErrorCode code;
        Change change;
    };
    const std::vector<Case> cases{
        {"nobody.jpg", ErrorCode::NoFaceFound,
         [](GenerationRequest& r) {
             r.references = {{"nobody.jpg", {}}};
         }},
        {"--steps", ErrorCode::InvalidRequest, [](GenerationRequest& r) { r.sampling.steps = 0; }},
        {"--size", ErrorCode::InvalidRequest, [](GenerationRequest& r) { r.video.width = 33; }},
        {"elsewhere", ErrorCode::MissingFile,
         [](GenerationRequest& r) { r.model = "/tmp/elsewhere-there-is-no-model"; }},
        {"missing.safetensors", ErrorCode::MissingFile,
         [](GenerationRequest& r) { r.adapter = "/tmp/missing.safetensors"; }},
        {"memory", ErrorCode::OutOfMemory, [](GenerationRequest& r) { r.memory_budget = 1 << 20; }},
        {"memory", ErrorCode::OutOfMemory,
         [](GenerationRequest& r) {
             r.video = {8192, 8192, 1025, {8, 1}};
         }},
        {"img", ErrorCode::InvalidRequest, [](GenerationRequest& r) { r.prompt.positive = "a man img and a man img"; }},
    };
    for (const Case& refused : cases) {
        GenerationRequest wrong = request();
        refused.change(wrong);
        MemorySink sink;
        const auto report = run(wrong, sink);
        ASSERT_FALSE(report) << refused.fragment;
        EXPECT_EQ(report.error().code, refused.code) << report.error().detail;
        EXPECT_NE(report.error().detail.find(refused.fragment), std::string::npos) << report.error().detail;
        EXPECT_LT(report.error().detail.size(), 300u);
        EXPECT_FALSE(std::filesystem::exists(file("latents")));
    }
}

TEST_F(SessionTest, APromptWithoutAPersonWarnsAndRuns) {
    std::vector<std::string> warnings;
    observer_.tell = [&](const ProgressEvent& event) {
        if (const auto* notice = std::get_if<Notice>(&event)) warnings.push_back(notice->detail);
    };
    GenerationRequest nobody = request();
    nobody.prompt.positive = "rain";
    MemorySink sink;
    ASSERT_TRUE(run(nobody, sink));
    EXPECT_EQ(warnings.size(), 1u);
}

TEST_F(SessionTest, BothPromptsSayWhenTheyAreCut) {
    std::vector<std::string> warnings;
    observer_.tell = [&](const ProgressEvent& event) {
        if (const auto* notice = std::get_if<Notice>(&event)) warnings.push_back(notice->detail);
    };
    GenerationRequest wordy = request();
    for (int i = 0; i < 300; ++i) wordy.prompt.negative += "rain ";
    MemorySink sink;
    ASSERT_TRUE(run(wordy, sink));
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find("the negative prompt has "), std::string::npos) << warnings[0];
}

TEST_F(SessionTest, AWeightThatIsNoNumberIsNamed) {
    const std::vector<std::pair<std::string, std::string>> weights{
        {"transformer/diffusion_pytorch_model.safetensors", "proj_out.weight"},
        {"text_encoder/model.safetensors", "encoder.final_layer_norm.weight"},
        {"vae/diffusion_pytorch_model.safetensors", "decoder.conv_out.conv.bias"},
        {"image_encoder/model.safetensors", "post_layernorm.weight"},
        {"recognizer/model.safetensors", "head.weight"},
        {"adapter/adapter.safetensors", "fuse.mlp1.norm.weight"},
    };
    for (const auto& [weights_file, name] : weights) {
        const auto copy = folder_.path() / "copy";
        std::filesystem::copy(tiny_checkpoint(), copy, std::filesystem::copy_options::recursive);
        TensorFile file_content = load_tensor_file(copy / weights_file);
        const auto found = std::find_if(file_content.tensors.begin(), file_content.tensors.end(),
                                        [&](const auto& entry) { return entry.first.ends_with(name); });
        ASSERT_NE(found, file_content.tensors.end()) << name;
        found->second.view({-1})[0] = std::numeric_limits<float>::infinity();
        save_tensors(copy / weights_file, file_content.tensors, file_content.metadata);
        GenerationRequest broken = request();
        broken.model = copy;
        MemorySink sink;
        const auto report = run(broken, sink);
        ASSERT_FALSE(report) << name;
        EXPECT_NE(report.error().detail.find(name), std::string::npos) << report.error().detail;
        EXPECT_FALSE(sink.finished);
        std::filesystem::remove_all(copy);
    }
}

TEST_F(SessionTest, BrokenLatentsAreRefusedByName) {
    const auto decode = [&](const at::Tensor& latents) {
        save_tensors(file("broken"), {{"latents", latents}});
        MemorySink sink;
        const auto report =
            session_->decode(file("broken"), tiny_checkpoint(), "cpu", Precision::Fp32, sink, observer_, {});
        return report ? std::string() : report.error().detail;
    };
    at::Tensor latents = at::zeros({1, 4, 3, 4, 4});
    EXPECT_EQ(decode(latents), "");
    EXPECT_NE(decode(latents[0]).find("latents"), std::string::npos);
    EXPECT_NE(decode(at::zeros({1, 5, 3, 4, 4})).find("latents"), std::string::npos);
    latents[0][0][0][0][0] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_NE(decode(latents).find("NaN"), std::string::npos);
}

}  // namespace mirror::engine::testing
