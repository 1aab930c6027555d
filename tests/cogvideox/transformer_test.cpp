#include "engine/backbones/cogvideox/transformer.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/result.h"
#include "tests/cogvideox/golden.h"
#include "tests/cogvideox/tiny_models.h"
#include "tests/support/deterministic.h"

namespace mirror::engine::testing {
namespace {

using cogvideox::Transformer;
using cogvideox::TransformerConfig;
using cogvideox::TransformerInput;

TransformerInput tiny_input(at::IntArrayRef shape, at::ScalarType dtype = at::kFloat) {
    TransformerInput input;
    input.hidden_states = deterministic_input("input.hidden_states", shape).to(dtype);
    input.encoder_hidden_states = deterministic_input("input.encoder_hidden_states", {shape[0], 8, 8}).to(dtype);
    input.timestep = at::tensor({999, 421}, at::kLong).narrow(0, 0, shape[0]);
    return input;
}

at::Tensor run(const TransformerConfig& config, at::IntArrayRef shape) {
    return Transformer(deterministic_weights(), config).forward(tiny_input(shape));
}

TEST(CogVideoXTransformer, TwoBillionWithHeadsOfEightMatchesThePublishedModel) {
    TransformerConfig config = tiny_2b();
    config.attention_head_dim = 8;
    config.time_embed_dim = 2;
    config.sample_frames = 8;
    expect_golden(run(config, {2, 1, 4, 8, 8}),
                  {11.327034, 551.962070, {-0.583256, -0.823802, 2.322136, -0.956008}, {0.784932, 2.164380}});
}

TEST(CogVideoXTransformer, TwoBillionMatchesThePublishedModel) {
    expect_golden(run(tiny_2b(), {2, 3, 4, 8, 8}),
                  {-171.287252, 1372.806270, {-1.873671, -3.315559, 0.850703, 0.655279}, {-0.465348, -0.446530}});
}

TEST(CogVideoXTransformer, FiveBillionMatchesThePublishedModel) {
    expect_golden(run(tiny_5b(), {2, 3, 4, 8, 8}),
                  {-69.209715, 1386.381149, {-2.059175, -2.924871, 0.995852, 1.695743}, {-0.578864, 0.073624}});
}

TEST(CogVideoXTransformer, FiveBillionAtAnotherShapeMatchesThePublishedModel) {
    expect_golden(run(tiny_5b(), {2, 3, 4, 12, 8}),
                  {-88.633262, 2007.777261, {-0.082615, -2.573205, -0.820605, 0.243754}, {0.472619, -1.184687}});
}

TEST(CogVideoXTransformer, FiveBillionFromImagesMatchesThePublishedModel) {
    expect_golden(run(tiny_5b_i2v(), {2, 3, 8, 8, 8}),
                  {-43.762200, 1292.242580, {0.092059, -0.882283, 0.146551, 0.678650}, {1.003053, -0.652664}});
}

TEST(CogVideoXTransformer, OnePointFiveMatchesThePublishedModel) {
    expect_golden(run(tiny_15(), {2, 4, 4, 6, 8}),
                  {-30.015521, 1323.560413, {0.885430, 0.671175, 0.623715, -1.010274}, {-1.223753, -0.741174}});
}

TEST(CogVideoXTransformer, OnePointFiveFromImagesMatchesThePublishedModel) {
    expect_golden(run(tiny_15_i2v(), {2, 4, 8, 6, 8}),
                  {2.089376, 1399.289297, {-0.343812, -1.960530, -1.652429, -3.162338}, {0.307448, 0.529706}});
}

// Values of diffusers 0.42.1 for shapes that are neither square nor of the trained size.
TEST(CogVideoXTransformer, OneFrameMatchesThePublishedModel) {
    expect_golden(run(tiny_2b(), {1, 1, 4, 4, 14}),
                  {-35.143345, 202.681328, {-0.704742, -1.881844}, {-0.133515, -0.131438}});
    expect_golden(run(tiny_5b(), {1, 1, 4, 4, 14}),
                  {-20.366340, 193.872388, {-1.046804, -1.094938}, {-0.639662, 0.092298}});
    expect_golden(run(tiny_5b_i2v(), {1, 1, 8, 8, 8}),
                  {-22.528992, 231.453670, {0.736166, -1.286079}, {-0.772036, -0.559286}});
}

TEST(CogVideoXTransformer, UnequalSidesMatchThePublishedModel) {
    expect_golden(run(tiny_2b(), {2, 5, 4, 14, 6}),
                  {-303.891846, 3010.328161, {-2.121329, -1.716202}, {0.510732, -1.508040}});
    expect_golden(run(tiny_5b(), {2, 5, 4, 14, 6}),
                  {-191.898447, 3019.614065, {-2.542729, -1.068097}, {0.065290, -1.141343}});
    TransformerConfig later = tiny_15();
    later.sample_height = later.sample_width = 20;
    expect_golden(run(later, {2, 6, 4, 14, 6}),
                  {-85.403328, 3443.302250, {-0.715078, 1.098163}, {0.677833, -0.384678}});
}

TEST(CogVideoXTransformer, RareSwitchesMatchThePublishedModel) {
    TransformerConfig config = tiny_2b();
    config.attention_bias = false;
    config.norm_elementwise_affine = false;
    config.flip_sin_to_cos = false;
    config.freq_shift = 1;
    config.patch_bias = false;
    config.patch_size = 4;
    config.norm_eps = 1e-4;
    config.temporal_interpolation_scale = 2.0;
    config.spatial_interpolation_scale = 1.25;
    config.temporal_compression_ratio = 8;
    expect_golden(run(config, {2, 2, 4, 8, 8}),
                  {-12.459517, 763.864260, {1.671210, -0.309754}, {-0.938659, -0.368121}});
}

TEST(CogVideoXTransformer, EveryPartOfAFiveBillionBlockMatchesThePublishedModel) {
    const Transformer transformer(deterministic_weights(), tiny_5b());
    const TransformerInput input = tiny_input({2, 3, 4, 8, 8});
    const auto positions = transformer.positions({3, 8, 8});
    const at::Tensor temb = transformer.time_embedding(input.timestep);
    expect_golden(temb, {0.546265, 7.534339, {0.838650, -0.938201}, {}});
    const at::Tensor rows = transformer.patch_embedding(input, positions);
    expect_golden(rows, {-10.763119, 2882.630184, {-1.148762, 0.397738}, {}});

    const at::Tensor text = rows.narrow(1, 0, 8);
    const at::Tensor video = rows.narrow(1, 8, 48);
    const cogvideox::Block& block = transformer.blocks()[0];
    const auto first = block.norm1.modulation(temb);
    expect_golden(first.video.gate, {-6.375916, 11.931621, {0.203629, 0.630899}, {}});
    expect_golden(first.text.gate, {1.472344, 17.819251, {0.597077, -0.640259}, {}});
    const at::Tensor video_in = modulate(video, block.norm1.norm, first.video);
    const at::Tensor text_in = modulate(text, block.norm1.norm, first.text);
    expect_golden(video_in, {-299.929564, 2686.604718, {1.627531, -2.445703}, {}});
    expect_golden(text_in, {-0.960305, 455.698687, {-1.515582, 0.363091}, {}});

    const auto heads = block.normalise_heads(block.project_qkv(at::cat({text_in, video_in}, 1)));
    const auto turned = rotate_heads(heads, positions.rotary, 8);
    expect_golden(turned.query, {-47.888545, 2848.784723, {-0.764965, -0.476741}, {}});
    const at::Tensor attended = block.project_out(attention(turned.query, turned.key, turned.value));
    expect_golden(attended.narrow(1, 8, 48), {243.275015, 1008.177691, {-0.064372, -0.469899}, {}});
    expect_golden(attended.narrow(1, 0, 8), {40.980960, 163.026462, {-0.653818, 0.160210}, {}});

    const at::Tensor video_mid = cogvideox::add_gated(video, first.video.gate, attended.narrow(1, 8, 48));
    const at::Tensor text_mid = cogvideox::add_gated(text, first.text.gate, attended.narrow(1, 0, 8));
    const auto second = block.norm2.modulation(temb);
    const at::Tensor fed = block.feed_forward(at::cat(
        {modulate(text_mid, block.norm2.norm, second.text), modulate(video_mid, block.norm2.norm, second.video)}, 1));
    expect_golden(fed, {-102.116017, 1986.318650, {-0.330637, -0.239789}, {}});
}

TEST(CogVideoXTransformer, BlocksMatchThePublishedModel) {
    const Transformer transformer(deterministic_weights(), tiny_5b());
    const TransformerInput input = tiny_input({2, 3, 4, 8, 8});
    const auto positions = transformer.positions({3, 8, 8});
    const at::Tensor rows = transformer.patch_embedding(input, positions);
    ForwardState state{0, transformer.time_embedding(input.timestep), rows.narrow(1, 0, 8), rows.narrow(1, 8, 48),
                       positions.rotary};
    transformer.blocks()[0].forward(state);
    expect_golden(state.video, {-143.277934, 2549.802569, {1.816672, -1.366967}, {}});
    expect_golden(state.text, {48.980188, 402.085079, {-1.551707, 0.417684}, {}});
    transformer.blocks()[1].forward(state);
    expect_golden(state.video, {-113.982242, 2612.095047, {1.848948, -1.351494}, {}});
}

// The reference values would hardly show a wrong epsilon: it matters for rows and heads of small variance only.
TEST(CogVideoXTransformer, HeadsAndRowsHaveTheirOwnEpsilons) {
    const Transformer transformer(deterministic_weights(), tiny_5b());
    const cogvideox::Block& block = transformer.blocks()[0];
    EXPECT_EQ(block.norm_q.epsilon, 1e-6);
    EXPECT_EQ(block.norm_k.epsilon, 1e-6);
    EXPECT_EQ(block.norm1.norm.epsilon, 1e-5);
    EXPECT_EQ(block.norm2.norm.epsilon, 1e-5);
    const at::Tensor faint = deterministic_input("faint", {1, 2, 3, 16}) * 1e-3;
    EXPECT_TRUE(at::equal(block.normalise_query(faint),
                          at::layer_norm(faint, {16}, block.norm_q.weight, block.norm_q.bias, 1e-6)));
    EXPECT_FALSE(at::allclose(block.normalise_query(faint),
                              at::layer_norm(faint, {16}, block.norm_q.weight, block.norm_q.bias, 1e-5), 1e-3, 1e-3));
}

TEST(CogVideoXTransformer, TextRowsComeBeforeVideoRows) {
    const Transformer transformer(deterministic_weights(), tiny_5b());
    TransformerInput input = tiny_input({2, 3, 4, 8, 8});
    const auto positions = transformer.positions({3, 8, 8});
    const at::Tensor before = transformer.patch_embedding(input, positions);
    input.encoder_hidden_states = input.encoder_hidden_states + 1;
    const at::Tensor after = transformer.patch_embedding(input, positions);
    EXPECT_FALSE(at::equal(before.narrow(1, 0, 8), after.narrow(1, 0, 8)));
    EXPECT_TRUE(at::equal(before.narrow(1, 8, 48), after.narrow(1, 8, 48)));
}

// Read-only memory of what was asked for.
class NameRecorder : public DeterministicSource {
public:
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override {
        names.push_back(name);
        return DeterministicSource::read(name, shape);
    }
    bool asked_for(const std::string& name) const { return std::find(names.begin(), names.end(), name) != names.end(); }
    std::vector<std::string> names;
};

TEST(CogVideoXTransformer, ThePatchProjectionOfOnePointFiveHasABiasThoughItsFileDeniesIt) {
    auto source = std::make_shared<NameRecorder>();
    TransformerConfig config = tiny_15();
    ASSERT_FALSE(config.patch_bias);
    const Transformer transformer(WeightScope(source, {}), config);
    EXPECT_TRUE(source->asked_for("patch_embed.proj.bias"));
    config.patch_size_t.reset();
    auto plain = std::make_shared<NameRecorder>();
    const Transformer without(WeightScope(plain, {}), config);
    EXPECT_FALSE(plain->asked_for("patch_embed.proj.bias"));
}

TEST(CogVideoXTransformer, TheLearnedTableGivesWayToSinesAtAnotherFrameCount) {
    const Transformer transformer(deterministic_weights(), tiny_5b_i2v());
    const at::Tensor learned = deterministic_parameter("patch_embed.pos_embedding", {1, 8 + 3 * 16, 32});
    EXPECT_TRUE(at::equal(transformer.positions({3, 8, 8}).additive, learned));
    const at::Tensor sines = cogvideox::sincos_positions(transformer.config(), {2, 8, 8}, at::kCPU).to(at::kFloat);
    EXPECT_TRUE(at::equal(transformer.positions({2, 8, 8}).additive, sines));
    EXPECT_THROW(transformer.positions({3, 12, 8}), EngineError);
}

TEST(CogVideoXTransformer, OffsetsOfTwoAreTheDefaultAndChangeTheResult) {
    const Transformer transformer(deterministic_weights(), tiny_15_i2v());
    TransformerInput input = tiny_input({2, 4, 8, 6, 8});
    const at::Tensor by_default = transformer.forward(input);
    input.ofs = at::full({1}, 2.0);
    EXPECT_TRUE(at::equal(by_default, transformer.forward(input)));
    input.ofs = at::full({2}, 2.0);  // Another order of summation in the matrix products.
    EXPECT_TRUE(at::allclose(by_default, transformer.forward(input), 1e-5, 1e-5));
    input.ofs = at::full({1}, 1.0);
    EXPECT_FALSE(at::allclose(by_default, transformer.forward(input)));
}

TEST(CogVideoXTransformer, SixteenBitsStayNearThirtyTwo) {
    const TransformerInput input = tiny_input({2, 3, 4, 8, 8}, at::kBFloat16);
    const Transformer transformer(deterministic_weights(at::kBFloat16), tiny_5b());
    const at::Tensor output = transformer.forward(input);
    EXPECT_EQ(output.scalar_type(), at::kBFloat16);
    const at::Tensor exact = run(tiny_5b(), {2, 3, 4, 8, 8});
    // The published model differs by 0.04 at most and 0.007 on average at a mean magnitude of 0.9.
    EXPECT_LT((output.to(at::kFloat) - exact).abs().max().item<float>(), 0.08);
    EXPECT_LT((output.to(at::kFloat) - exact).abs().mean().item<float>(), 0.01);
}

TEST(CogVideoXTransformer, CanBeBuiltWithoutMemoryAndCountsAsPublished) {
    const auto count = [](const TransformerConfig& config) {
        auto recorder = std::make_shared<ShapeRecorder>();
        const Transformer transformer(WeightScope(recorder, {}), config);
        return std::pair(recorder->entries().size(), recorder->parameter_count());
    };
    TransformerConfig config;
    EXPECT_EQ(count(config), std::pair(std::size_t{736}, std::int64_t{1'693'783'872}));
    config.num_attention_heads = 48;
    config.num_layers = 42;
    config.use_rotary_positional_embeddings = true;
    EXPECT_EQ(count(config), std::pair(std::size_t{1024}, std::int64_t{5'570'283'072}));
    TransformerConfig images = config;
    images.in_channels = 32;
    images.use_learned_positional_embeddings = true;
    EXPECT_EQ(count(images), std::pair(std::size_t{1025}, std::int64_t{5'625'087'552}));
    config.patch_size_t = 2;
    config.patch_bias = false;
    config.sample_height = config.sample_width = 300;
    config.sample_frames = 81;
    EXPECT_EQ(count(config), std::pair(std::size_t{1024}, std::int64_t{5'570'676'352}));
    config.in_channels = 32;
    config.ofs_embed_dim = 512;
    EXPECT_EQ(count(config), std::pair(std::size_t{1028}, std::int64_t{5'571'594'880}));
}

// Training needs gradients of what enters the blocks, against differences of the function itself.
TEST(CogVideoXTransformer, GradientsReachItsInputs) {
    const Transformer transformer(deterministic_weights(at::kDouble), tiny_5b());
    TransformerInput input = tiny_input({1, 1, 4, 4, 4}, at::kDouble);
    input.encoder_hidden_states.set_requires_grad(true);
    input.hidden_states.set_requires_grad(true);
    transformer.forward(input).square().sum().backward();
    const at::Tensor gradient = input.encoder_hidden_states.grad();
    ASSERT_TRUE(gradient.defined());
    ASSERT_TRUE(input.hidden_states.grad().defined());

    const c10::NoGradGuard quiet;
    constexpr double kStep = 1e-5;
    const auto loss_at = [&](std::int64_t row, double change) {
        TransformerInput moved = input;
        moved.encoder_hidden_states = input.encoder_hidden_states.detach().clone();
        moved.encoder_hidden_states[0][row][0] += change;
        return transformer.forward(moved).square().sum().item<double>();
    };
    for (const std::int64_t row : {0, 7}) {
        const double slope = (loss_at(row, kStep) - loss_at(row, -kStep)) / (2 * kStep);
        // Rotations are float32 inside, which the difference of 1e-5 magnifies.
        EXPECT_NEAR(gradient[0][row][0].item<double>(), slope, 0.02 * std::abs(slope) + 0.02);
    }
}

TEST(CogVideoXTransformer, MisshapenInputsAreNamed) {
    const Transformer transformer(deterministic_weights(), tiny_2b());
    const auto message_of = [&](const TransformerInput& input) -> std::string {
        try {
            transformer.forward(input);
        } catch (const EngineError& error) {
            return error.what();
        }
        return "";
    };
    TransformerInput input = tiny_input({2, 3, 4, 8, 8});
    input.hidden_states = at::zeros({2, 3, 5, 8, 8});
    EXPECT_NE(message_of(input).find("hidden_states"), std::string::npos);
    input.hidden_states = at::zeros({2, 3, 4, 7, 8});
    EXPECT_NE(message_of(input).find("patch_size"), std::string::npos);
    input = tiny_input({2, 3, 4, 8, 8});
    input.encoder_hidden_states = at::zeros({2, 7, 8});
    EXPECT_NE(message_of(input).find("max_text_seq_length"), std::string::npos);
    input.encoder_hidden_states = at::zeros({2, 8, 9});
    EXPECT_NE(message_of(input).find("encoder_hidden_states"), std::string::npos);
    input = tiny_input({2, 3, 4, 8, 8});
    input.timestep = at::tensor({1}, at::kLong);
    EXPECT_NE(message_of(input).find("timestep"), std::string::npos);
}

}  // namespace
}  // namespace mirror::engine::testing
