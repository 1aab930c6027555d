#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "engine/core/result.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/fusion.h"
#include "engine/identity/magic_mirror/perceiver_face.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/weights/config_reader.h"
#include "tests/identity/tiny_adapter.h"

namespace mirror::engine::magic_mirror::testing {
namespace {

constexpr double kTolerance = 1e-5;

ClipVision tiny_tower() { return {deterministic_weights(), tiny_config().clip_vision}; }

ClipFeatures tiny_features() { return tiny_tower()(deterministic_input("input.pixel_values", {2, 3, 32, 32})); }

PerceiverId tiny_perceiver_id() { return {deterministic_weights(), {tiny_config().perceiver_id, 32}}; }

at::Tensor embeddings() { return deterministic("input.face_embedding", {2, 16}, 0.0, 20.0); }

std::string config_refusal(const std::string& json) {
    try {
        read_clip_vision_config(ConfigReader::parse(json, "config.json"));
    } catch (const EngineError& error) {
        return error.what();
    }
    return "";
}

template <typename Build>
std::int64_t parameters(Build build) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    build(WeightScope(recorder, {}));
    return recorder->parameter_count();
}

TEST(ClipVision, BothTapsAreThePublishedHiddenStates) {
    const ClipFeatures features = tiny_features();
    EXPECT_LT(largest_difference(features.last_hidden_state, golden("clip.last_hidden_state")), kTolerance);
    EXPECT_LT(largest_difference(features.penultimate, golden("clip.penultimate")), kTolerance);
    EXPECT_GT(largest_difference(features.last_hidden_state, features.penultimate), 0.1);
}

TEST(ClipVision, ThePooledOutputIsTheNormOfTheClassToken) {
    const ClipVision tower = tiny_tower();
    const at::Tensor last = tiny_features().last_hidden_state;
    EXPECT_LT(largest_difference(tower.pooled(last), golden("clip.pooled")), kTolerance);
    EXPECT_GT(largest_difference(tower.pooled(last), last.select(1, 0)), 1e-3);
}

TEST(ClipVision, TapsAreNamedByTheirSwitch) {
    const ClipFeatures features = tiny_features();
    EXPECT_TRUE(tap(features, -1).is_same(features.last_hidden_state));
    EXPECT_TRUE(tap(features, -2).is_same(features.penultimate));
}

TEST(ClipVision, AnotherPictureSizeIsRefused) {
    EXPECT_THROW(tiny_tower()(at::zeros({1, 3, 40, 40})), EngineError);
    EXPECT_THROW(tiny_tower()(at::zeros({3, 32, 32})), EngineError);
}

TEST(ClipVision, ConfigsWithOtherActivationsOrEpsilonsAreRefused) {
    const std::string sizes =
        R"("hidden_size":32,"num_hidden_layers":3,"num_attention_heads":2,"intermediate_size":64,"image_size":32,"patch_size":8)";
    EXPECT_EQ(config_refusal("{" + sizes + "}"), "");
    EXPECT_EQ(config_refusal("{" + sizes + R"(,"hidden_act":"quick_gelu","layer_norm_eps":1e-05})"), "");
    EXPECT_NE(config_refusal("{" + sizes + R"(,"hidden_act":"gelu"})").find("hidden_act"), std::string::npos);
    EXPECT_NE(config_refusal("{" + sizes + R"(,"layer_norm_eps":1e-6})").find("layer_norm_eps"), std::string::npos);
    EXPECT_NE(config_refusal("{}").find("hidden_size"), std::string::npos);
}

TEST(ClipVision, PixelValuesAreNormalisedByThePublishedMeans) {
    at::Tensor picture = at::zeros({1, 2, 2, 3}, at::kByte);
    picture.index_put_({0, 0, 0}, at::tensor({255, 128, 0}, at::kByte));
    const at::Tensor values = clip_pixel_values(picture);
    EXPECT_NEAR(values[0][0][0][0].item<double>(), (1.0 - 0.48145466) / 0.26862954, 1e-6);
    EXPECT_NEAR(values[0][1][0][0].item<double>(), (128 / 255.0 - 0.4578275) / 0.26130258, 1e-6);
    EXPECT_NEAR(values[0][2][0][0].item<double>(), -0.40821073 / 0.27577711, 1e-6);
}

TEST(PerceiverId, ComputesWhatTheReferenceComputes) {
    const PerceiverId perceiver = tiny_perceiver_id();
    const at::Tensor embeds = perceiver(embeddings(), tiny_features().last_hidden_state);
    EXPECT_LT(largest_difference(embeds, golden("perceiver_id")), kTolerance);
    EXPECT_TRUE(at::equal(embeds, perceiver(embeddings(), tiny_features().last_hidden_state)));
    EXPECT_TRUE(embeds.isfinite().all().item<bool>());
}

TEST(PerceiverId, WantsTheRawEmbedding) {
    const PerceiverId perceiver = tiny_perceiver_id();
    const at::Tensor tokens = tiny_features().last_hidden_state;
    const at::Tensor normalised = embeddings() / embeddings().norm(2, {1}, true);
    EXPECT_GT(largest_difference(perceiver(embeddings(), tokens), perceiver(normalised, tokens)), 0.1);
}

TEST(PerceiverId, EveryReferenceIsReadAlone) {
    const PerceiverId perceiver = tiny_perceiver_id();
    const at::Tensor tokens = tiny_features().last_hidden_state;
    const at::Tensor both = perceiver(embeddings(), tokens);
    const at::Tensor second = perceiver(embeddings().narrow(0, 1, 1), tokens.narrow(0, 1, 1));
    EXPECT_LT(largest_difference(both.narrow(0, 1, 1), second), 1e-5);
    EXPECT_THROW(perceiver(embeddings(), tokens.narrow(0, 0, 1)), EngineError);
    EXPECT_THROW(perceiver(at::zeros({2, 512}), tokens), EngineError);
}

TEST(PerceiverFace, JoinsReferencesAsTheSwitchSays) {
    const at::Tensor tokens = tiny_features().penultimate;
    const std::pair<const char*, SwitchOverrides> cases[] = {
        {"concat", {}}, {"mean", {{"multi_ref_face", "mean"}}}, {"learned_pos", {{"face_rope", "learned_pos"}}}};
    for (const auto& [name, switches] : cases) {
        const PerceiverFace perceiver(deterministic_weights() / "perceiver_face", tiny_config(switches));
        EXPECT_LT(largest_difference(perceiver(tokens), golden(std::string("perceiver_face.") + name)), kTolerance)
            << name;
    }
}

TEST(Fusion, ComputesWhatTheReferenceComputes) {
    const at::Tensor text = deterministic("input.prompt_embeds", {1, 16, 48}, 0.0, 0.3);
    const at::Tensor identity = deterministic_input("input.id_embeds", {2, 2, 32});
    struct Case {
        const char* name;
        SwitchOverrides switches;
        std::vector<std::int64_t> marked;
    };
    const Case cases[] = {{"stack", {}, {2, 3, 5, 9}},
                          {"mean", {{"multi_ref_text", "mean"}}, {4, 6}},
                          {"norm", {{"fuse_out_norm", "layernorm"}}, {2, 3, 4, 5}}};
    for (const Case& one : cases) {
        const Fusion fusion(deterministic_weights() / "fuse", tiny_config(one.switches));
        at::Tensor mask = at::zeros({1, 16}, at::kLong);
        for (const std::int64_t position : one.marked) mask[0][position] = 1;
        const at::Tensor fused = fusion(text, identity, mask);
        EXPECT_LT(largest_difference(fused, golden(std::string("fuse.") + one.name)), kTolerance) << one.name;
        const at::Tensor unmarked = (mask[0] == 0).nonzero().reshape({-1});
        EXPECT_TRUE(at::equal(fused[0].index_select(0, unmarked), text[0].index_select(0, unmarked)));
    }
}

TEST(Fusion, NothingMarkedOrSwitchedOffIsTheInput) {
    const at::Tensor text = deterministic_input("input.prompt_embeds", {1, 16, 48});
    const at::Tensor identity = deterministic_input("input.id_embeds", {1, 2, 32});
    at::Tensor mask = at::zeros({1, 16}, at::kLong);
    const Fusion fusion(deterministic_weights() / "fuse", tiny_config());
    EXPECT_TRUE(at::equal(fusion(text, identity, mask), text));
    mask[0][3] = 1;
    EXPECT_THROW(fusion(text, identity, mask), EngineError);
    mask[0][4] = 1;
    EXPECT_FALSE(at::equal(fusion(text, identity, mask), text));
    EXPECT_TRUE(at::equal(fusion(text, identity, mask, 0.0), text));
    const Fusion off(deterministic_weights() / "fuse", tiny_config({{"text_fuse", "off"}}));
    EXPECT_TRUE(at::equal(off(text, identity, mask), text));
    mask[0][4] = 2;
    EXPECT_THROW(fusion(text, identity, mask), EngineError);
}

TEST(Fusion, StrengthMovesFromTheTextVectorToTheFusedOne) {
    const at::Tensor text = deterministic_input("input.prompt_embeds", {1, 16, 48});
    const at::Tensor identity = deterministic_input("input.id_embeds", {1, 2, 32});
    at::Tensor mask = at::zeros({1, 16}, at::kLong);
    mask[0][3] = 1;
    mask[0][4] = 1;
    const Fusion fusion(deterministic_weights() / "fuse", tiny_config());
    const at::Tensor full = fusion(text, identity, mask);
    EXPECT_LT(largest_difference(fusion(text, identity, mask, 0.25), text + 0.25 * (full - text)), 1e-6);
    EXPECT_TRUE(at::equal(fusion(text, identity, mask, 1.5), full));
}

TEST(FrozenParts, HaveThePublishedNumberOfParameters) {
    const AdapterConfig paper = value_or_throw(adapter_preset("paper"));
    const auto perceiver = [&](const WeightScope& scope) { PerceiverId(scope, {paper.perceiver_id, 1024}); };
    EXPECT_EQ(parameters(perceiver), 217122816);
    const std::int64_t projection = 1024 * 768;
    EXPECT_EQ(parameters([&](const WeightScope& scope) { ClipVision(scope, paper.clip_vision); }) + projection,
              303966208);
    for (const auto& [name, clip, id] : {std::tuple{"demo", 2827200, 2742272}, std::tuple{"tiny", 32480, 32448}}) {
        const AdapterConfig config = value_or_throw(adapter_preset(name));
        EXPECT_EQ(parameters([&](const WeightScope& scope) { ClipVision(scope, config.clip_vision); }), clip) << name;
        const PerceiverIdConfig sizes{config.perceiver_id, config.clip_vision.hidden_size};
        EXPECT_EQ(parameters([&](const WeightScope& scope) { PerceiverId(scope, sizes); }), id) << name;
    }
}

}  // namespace
}  // namespace mirror::engine::magic_mirror::testing
