// How a run fits into a budget: layers read as it goes give the same bytes, models that stay are not read again, and a
// stop is seen while weights are read.

#include <fcntl.h>
#include <sys/stat.h>

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <fstream>

#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/session/latents_file.h"
#include "engine/session/memory_plan.h"
#include "tests/session/session_fixture.h"

namespace mirror::engine::testing {

namespace {

constexpr std::uint64_t kMiB = 1u << 20;

GenerationRequest with_budget(GenerationRequest request, std::uint64_t budget) {
    request.memory_budget = budget;
    return request;
}

// What the tiny checkpoint needs with all layers held, and with one at a time.
struct Needs {
    std::uint64_t all = 0;
    std::uint64_t one = 0;
};

Needs needs_of(const GenerationRequest& request) {
    const ModelFolder folder(request.model, {at::kFloat, at::kCPU}, WeightCheck::Finite);
    const MemoryEstimate estimate =
        estimate_memory(folder, request, request.model / "adapter/adapter.safetensors", false);
    const std::uint64_t others =
        std::max({estimate.text_encoder.peak(LayersHeld::One), estimate.decoding.peak(LayersHeld::All),
                  estimate.features.peak(LayersHeld::All)});
    return {estimate.denoising.peak(LayersHeld::All), std::max(others, estimate.denoising.peak(LayersHeld::One))};
}

StageMemory stage(std::uint64_t weights, std::uint64_t layers, std::uint64_t layer, std::uint64_t activations) {
    StageMemory memory;
    memory.weights = weights * kMiB;
    memory.layers = layers * kMiB;
    memory.largest_layer = layer * kMiB;
    memory.activations = activations * kMiB;
    return memory;
}

MemoryEstimate large_model() {
    MemoryEstimate estimate;
    estimate.text_encoder = stage(500, 18000, 750, 100);
    estimate.denoising = stage(100, 20000, 450, 1500);
    estimate.decoding = stage(800, 0, 0, 2000);
    return estimate;
}

// Overwrites everything behind the header with what is no number, so that reading it again would be noticed.
void spoil_weights(const std::filesystem::path& file) {
    struct stat before {};
    ASSERT_EQ(::stat(file.c_str(), &before), 0);
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    std::uint64_t header = 0;
    stream.read(reinterpret_cast<char*>(&header), sizeof header);
    const std::uint64_t begin = sizeof header + header;
    stream.seekp(static_cast<std::streamoff>(begin));
    stream << std::string(static_cast<std::size_t>(before.st_size) - begin, '\xff');
    stream.close();
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
}

}  // namespace

class MemoryTest : public SessionTest {
protected:
    void keep_models() { session_ = open_session(std::make_unique<DrawnFaces>(), Models::Keep); }
    std::filesystem::path copy_of_checkpoint() const {
        const auto copy = folder_.path() / "copy";
        std::filesystem::copy(tiny_checkpoint(), copy, std::filesystem::copy_options::recursive);
        return copy;
    }
};

TEST(MemoryPlanTest, HoldsWhatFitsAndStreamsTheRest) {
    const MemoryEstimate model = large_model();
    const auto plan = [&](std::uint64_t mebibytes) { return plan_memory(model, mebibytes * kMiB, Keeping::Nothing); };
    EXPECT_EQ(plan(24000).transformer, LayersHeld::All);
    EXPECT_EQ(plan(24000).text_encoder, LayersHeld::All);
    EXPECT_EQ(plan(20000).transformer, LayersHeld::Two);
    EXPECT_EQ(plan(20000).text_encoder, LayersHeld::All);
    EXPECT_EQ(plan(4096).transformer, LayersHeld::Two);
    EXPECT_EQ(plan(4096).text_encoder, LayersHeld::Two);
    EXPECT_LE(plan(4096).peak, 4096 * kMiB);
    EXPECT_EQ(plan_memory({{}, stage(1, 1000, 100, 1), {}, stage(1, 2000, 400, 100), stage(1, 0, 0, 1)}, 700 * kMiB,
                          Keeping::Nothing)
                  .transformer,
              LayersHeld::One);
    EXPECT_THROW(plan(2500), EngineError);  // The decoder alone.
}

TEST(MemoryPlanTest, KeepsWhatLeavesRoomForEveryStage) {
    MemoryEstimate model = large_model();
    model.text_encoder = stage(500, 9000, 400, 100);
    const auto plan = [&](std::uint64_t mebibytes) { return plan_memory(model, mebibytes * kMiB, Keeping::WhatFits); };
    EXPECT_TRUE(plan(64000).keeps_transformer && plan(64000).keeps_text_encoder && plan(64000).keeps_decoder);
    EXPECT_TRUE(plan(31000).keeps_transformer);
    EXPECT_FALSE(plan(31000).keeps_text_encoder);
    EXPECT_FALSE(plan(8000).keeps_transformer);
    EXPECT_FALSE(plan_memory(model, 64000 * kMiB, Keeping::Nothing).keeps_transformer);
    for (const std::uint64_t available : {8000, 24000, 31000, 34000, 64000})
        EXPECT_LE(plan(available).peak, available * kMiB);
}

TEST(MemoryPlanTest, DecodesInTilesWhereABudgetLeavesNoRoomForWholeFrames) {
    MemoryEstimate model = large_model();
    model.tiled_decoding = stage(800, 0, 0, 700);
    const auto refusal = [&](std::uint64_t mebibytes) -> std::string {
        try {
            plan_memory(model, mebibytes * kMiB, Keeping::Nothing);
            return {};
        } catch (const EngineError& error) {
            return error.what();
        }
    };
    EXPECT_NE(refusal(2500).find("decoded in tiles"), std::string::npos) << refusal(2500);
    model.may_decode_in_tiles = true;
    EXPECT_EQ(refusal(2500), "");
    EXPECT_NE(refusal(1500), "");
    const auto plan = [&](std::uint64_t mebibytes) { return plan_memory(model, mebibytes * kMiB, Keeping::WhatFits); };
    EXPECT_TRUE(plan(2500).decodes_in_tiles);
    EXPECT_LE(plan(2500).peak, 2500 * kMiB);
    EXPECT_FALSE(plan(3000).decodes_in_tiles);
    model.tiled_decoding = stage(800, 0, 0, 1600);
    EXPECT_NE(refusal(2500).find("about 2.53 GiB"), std::string::npos) << refusal(2500);  // Whole frames: 2.92.
}

TEST_F(MemoryTest, ABudgetBelowTheModelStreamsItAndGivesTheSameBytes) {
    GenerationRequest whole = request();
    whole.method = Method::None;
    whole.references.clear();
    whole.kind = OutputKind::Image;  // So small that the layers decide.
    whole.video = {16, 16, 1, {8, 1}};
    const Needs needs = needs_of(whole);
    ASSERT_LT(needs.one, needs.all);
    std::vector<std::string> warnings;
    observer_.tell = [&](const ProgressEvent& event) {
        if (const auto* notice = std::get_if<Notice>(&event)) warnings.push_back(notice->detail);
    };
    MemorySink first, second, third;
    ASSERT_TRUE(run(whole, first, "whole"));
    EXPECT_TRUE(warnings.empty());
    const auto streamed = run(with_budget(whole, (needs.one + needs.all) / 2), second, "streamed");
    ASSERT_TRUE(streamed) << streamed.error().detail;
    EXPECT_EQ(warnings.size(), 1u);
    EXPECT_EQ(first.frames, second.frames);
    EXPECT_TRUE(at::equal(load_latents(file("whole")).latents, load_latents(file("streamed")).latents));

    const auto refused = run(with_budget(whole, needs.one - 1), third, "refused");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
}

// Smaller than every stage of the run but whole frames.
std::uint64_t budget_for_tiles(const GenerationRequest& request) {
    const ModelFolder folder(request.model, {at::kFloat, at::kCPU}, WeightCheck::Finite);
    const MemoryEstimate estimate = estimate_memory(folder, request, {}, false);
    return std::max({estimate.text_encoder.peak(LayersHeld::One), estimate.denoising.peak(LayersHeld::One),
                     estimate.tiled_decoding.value().peak(LayersHeld::All)});
}

TEST_F(MemoryTest, ABudgetBelowWholeFramesDecodesInTilesAndSaysSo) {
    GenerationRequest whole = request();
    whole.method = Method::None;
    whole.references.clear();
    whole.sampling.steps = 1;
    whole.video = {64, 64, 9, {8, 1}};
    const std::uint64_t budget = budget_for_tiles(whole);
    ASSERT_LT(budget, needs_of(whole).one);
    std::vector<std::string> notices;
    int steps = 0;
    observer_.tell = [&](const ProgressEvent& event) {
        if (const auto* notice = std::get_if<Notice>(&event)) notices.push_back(notice->detail);
        if (const auto* at = std::get_if<Progress>(&event); at != nullptr && at->stage == Stage::Decode)
            steps = std::max(steps, at->step);
    };
    MemorySink exact, tiled, again, refused;
    ASSERT_TRUE(run(whole, exact, "whole"));
    EXPECT_NE(exact.recipe.find("\"decoding\":\"whole\""), std::string::npos) << exact.recipe;
    const auto made = run(with_budget(whole, budget), tiled, "tiled");
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_TRUE(std::any_of(notices.begin(), notices.end(),
                            [](const std::string& notice) { return notice.find("tiles") != std::string::npos; }));
    EXPECT_NE(tiled.recipe.find("\"decoding\":\"tiles\""), std::string::npos) << tiled.recipe;
    EXPECT_EQ(tiled.frames.size(), exact.frames.size());
    EXPECT_NE(tiled.frames, exact.frames);
    EXPECT_EQ(steps, 64);
    EXPECT_TRUE(at::equal(load_latents(file("whole")).latents, load_latents(file("tiled")).latents));

    // The recipe decides, wherever its latents are decoded.
    ASSERT_TRUE(session_->decode(file("tiled"), whole.model, "cpu", Precision::Fp32, again, observer_, {}));
    EXPECT_EQ(again.frames, tiled.frames);
    EXPECT_EQ(run(with_budget(whole, budget - 1), refused, "refused").error().code, ErrorCode::OutOfMemory);
}

TEST_F(MemoryTest, StreamedModelsComputeTheSameBits) {
    namespace mm = magic_mirror;
    for (const auto dtype : {at::kFloat, at::kBFloat16}) {
        const c10::InferenceMode inference;
        const ModelFolder folder(tiny_checkpoint(), {dtype, at::kCPU}, WeightCheck::Finite);
        const auto adapter_file = mm::AdapterFile::open(tiny_checkpoint() / "adapter/adapter.safetensors");
        const mm::AdapterConfig& config = adapter_file.config();
        const mm::CrossModalAdapter adapter(adapter_file.weights(folder.placement()), config);
        const auto random = [&](at::IntArrayRef shape) { return at::randn(shape).to(dtype); };
        const auto person =
            mm::make_conditioning(adapter, random({1, config.perceiver_id.tokens, config.perceiver_id.width}),
                                  random({1, config.perceiver_face.tokens, config.dit.width()}));
        const auto sizes = folder.transformer_config();
        cogvideox::TransformerInput input;
        input.hidden_states = random({2, 3, sizes.in_channels, 4, 4});
        input.encoder_hidden_states = random({2, sizes.max_text_seq_length, sizes.text_embed_dim});
        input.timestep = at::full({2}, 500, at::kLong);
        const std::vector<at::Tensor> ids{at::arange(12).unsqueeze(0), {}, at::arange(3, 15).unsqueeze(0)};

        const auto results = [&](LayersHeld held) {
            const auto transformer = folder.transformer(held);
            mm::MagicMirrorHook hook(adapter, person, mm::Strength{});
            const std::vector<at::Tensor> text = folder.text_encoder(held).encode_all(ids);
            EXPECT_FALSE(text[1].defined());
            return std::vector<at::Tensor>{transformer.forward(input),
                                           mm::forward_with_adapter(transformer, input, hook, at::arange(2)), text[0],
                                           text[2]};
        };
        const auto whole = results(LayersHeld::All);
        for (const auto held : {LayersHeld::Two, LayersHeld::One}) {
            const auto streamed = results(held);
            for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(at::equal(streamed[i], whole[i])) << i;
        }
    }
}

TEST_F(MemoryTest, ASecondRunReadsNoWeightsAgain) {
    keep_models();
    GenerationRequest again = request();
    again.model = copy_of_checkpoint();
    again.method = Method::None;
    again.references.clear();
    again.precision = Precision::Bf16;  // Weights that alias the file would change with it.
    MemorySink first, second, third;
    ASSERT_TRUE(run(again, first, "a"));
    for (const char* file : {"transformer/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors",
                             "vae/diffusion_pytorch_model.safetensors"})
        spoil_weights(again.model / file);
    const auto report = run(again, second, "b");
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(first.frames, second.frames);

    session_->release_memory();
    const auto released = run(again, third, "c");
    ASSERT_FALSE(released);
    EXPECT_NE(released.error().detail.find("NaN"), std::string::npos) << released.error().detail;
}

TEST_F(MemoryTest, ChangedFilesAndOtherPrecisionsAreReadAnew) {
    keep_models();
    GenerationRequest asked = request();
    asked.model = copy_of_checkpoint();
    MemorySink exact, rounded, exact_again, other;
    ASSERT_TRUE(run(asked, exact, "a"));
    asked.precision = Precision::Bf16;
    ASSERT_TRUE(run(asked, rounded, "b"));
    asked.precision = Precision::Fp32;
    ASSERT_TRUE(run(asked, exact_again, "c"));
    EXPECT_NE(exact.frames, rounded.frames);
    EXPECT_EQ(exact.frames, exact_again.frames);

    std::filesystem::remove_all(asked.model);
    value_or_throw(init_checkpoint("tiny", 2, asked.model));
    ASSERT_TRUE(run(asked, other, "d"));
    EXPECT_NE(exact.frames, other.frames);
}

TEST_F(MemoryTest, AStopIsSeenWhileWeightsAreRead) {
    std::vector<Stage> stages;
    observer_.tell = [&](const ProgressEvent& event) {
        const auto* progress = std::get_if<Progress>(&event);
        if (progress == nullptr) return;
        stages.push_back(progress->stage);
        if (progress->stage == Stage::LoadWeights) stop_.request_stop();
    };
    MemorySink sink;
    const auto report = run(request(), sink);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::Cancelled);
    EXPECT_EQ(stages.back(), Stage::LoadWeights);
}

}  // namespace mirror::engine::testing
