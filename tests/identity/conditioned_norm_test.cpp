#include <gtest/gtest.h>

#include "engine/identity/magic_mirror/conditioned_norm.h"
#include "tests/identity/tiny_adapter.h"

namespace mirror::engine::magic_mirror::testing {
namespace {

// [1, 6d] with value 10 * norm + chunk in every element of a chunk.
at::Tensor labelled(int norm, std::int64_t width) {
    return (at::arange(6, at::kFloat) + 10 * norm).repeat_interleave(width).unsqueeze(0);
}

TEST(ConditionedNorm, TwelveChunksAreVideoThenText) {
    const at::Tensor chunks = twelve_chunks(labelled(1, 3), labelled(2, 3));
    const at::Tensor wanted = at::tensor({10, 11, 12, 20, 21, 22, 13, 14, 15, 23, 24, 25}, at::kFloat);
    EXPECT_TRUE(at::equal(chunks[0].select(1, 0), wanted));
    EXPECT_TRUE(at::equal(norm_factors(chunks, 1), labelled(1, 3)));
    EXPECT_TRUE(at::equal(norm_factors(chunks, 2), labelled(2, 3)));
}

TEST(ConditionedNorm, ChunksAreThoseThatTheBaseBlockSplits) {
    const TinyModel model(tiny_config());
    const at::Tensor temb = deterministic_input("input.temb", {2, 32});
    const auto& block = model.base.blocks()[0];
    const at::Tensor chunks = twelve_chunks(block.norm1.factors(temb), block.norm2.factors(temb));
    const auto first = block.norm1.modulation(temb);
    const auto second = block.norm2.modulation(temb);
    const at::Tensor in_order[] = {first.video.shift,  first.video.scale, first.video.gate,  second.video.shift,
                                   second.video.scale, second.video.gate, first.text.shift,  first.text.scale,
                                   first.text.gate,    second.text.shift, second.text.scale, second.text.gate};
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(at::equal(chunks.select(1, i), in_order[i])) << i;
}

TEST(ConditionedNorm, APredictorOfZerosPredictsExactlyZero) {
    ConditionPredictor predictor(deterministic_weights() / "blocks" / 0 / "mod_cond", tiny_config());
    const at::Tensor id_vector = deterministic_input("input.p", {1, 16}) * 100;
    const at::Tensor temb = deterministic_input("input.temb", {2, 32});
    const at::Tensor base = deterministic_input("input.base", {2, 12, 64});
    EXPECT_GT(predictor(id_vector, temb, base).abs().max().item<double>(), 0.1);
    predictor.fc2.weight = at::zeros_like(predictor.fc2.weight);
    predictor.fc2.bias = at::zeros_like(predictor.fc2.bias);
    EXPECT_TRUE(at::equal(predictor(id_vector, temb, base), at::zeros({2, 12, 64})));
}

TEST(ConditionedNorm, ScaleZeroGivesBackTheBase) {
    const at::Tensor base = deterministic_input("input.base", {2, 12, 64});
    const at::Tensor infinite = at::full({2, 12, 64}, INFINITY);
    EXPECT_TRUE(at::equal(conditioned(base, infinite, CanMode::Residual, 0), base));
    EXPECT_TRUE(at::equal(conditioned(base, infinite, CanMode::Direct, 0), base));
}

TEST(ConditionedNorm, DirectModeAtFullScaleIsThePredictionAlone) {
    const at::Tensor delta = deterministic_input("input.delta", {2, 12, 64});
    const at::Tensor infinite = at::full({2, 12, 64}, INFINITY);
    EXPECT_TRUE(at::equal(conditioned(infinite, delta, CanMode::Direct, 1), delta));
}

TEST(ConditionedNorm, TheIdentityVectorAveragesReferences) {
    const IdProjection projection(deterministic_weights() / "can" / "id_proj", tiny_config());
    const at::Tensor embeds = deterministic_input("input.id_embeds", {3, 2, 32});
    EXPECT_TRUE(at::equal(projection(embeds), projection(embeds.mean(0, true))));
    EXPECT_EQ(projection(embeds).sizes(), (at::IntArrayRef{1, 16}));
}

TEST(ConditionedNorm, TheReportOfABlockIsWhatTheBlockUses) {
    const TinyModel model(tiny_config({{"can_scale", "0.5"}}));
    const at::Tensor temb = deterministic_input("input.temb", {2, 32});
    const at::Tensor p = model.adapter.id_proj(TinyInputs().id_embeds);
    const AdaptedModulation report = adapted_modulation(model.adapter, model.base.blocks()[2], 2, temb, p, 0.5);
    EXPECT_TRUE(at::equal(report.modulation, report.base + report.delta * 0.5));
    EXPECT_EQ(report.face.sizes(), (at::IntArrayRef{2, 6, 64}));
    const TinyModel off(tiny_config({{"can", "off"}, {"phi_face", "off"}, {"face_in_sa", "off"}}));
    const AdaptedModulation nothing = adapted_modulation(off.adapter, off.base.blocks()[2], 2, temb, {}, 1);
    EXPECT_TRUE(at::equal(nothing.delta, at::zeros({2, 12, 64})));
    EXPECT_TRUE(at::equal(nothing.modulation, nothing.base));
    EXPECT_TRUE(at::equal(nothing.face, at::zeros({2, 6, 64})));
}

}  // namespace
}  // namespace mirror::engine::magic_mirror::testing
