#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/core/result.h"
#include "engine/face/face_recognizer.h"
#include "engine/face/face_tensors.h"
#include "engine/face/recognizer_network.h"
#include "tests/support/deterministic.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine {
namespace {

RecognizerConfig tiny() { return {16, 8, {8, 16, 16, 24}, {1, 2, 1, 1}, "pocket"}; }

Frame grey_frame(std::uint8_t value) { return {112, 112, std::vector<std::uint8_t>(112 * 112 * 3, value)}; }

TEST(Recognizer, HasTheParametersOfIResNet50) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    const RecognizerNetwork network(WeightScope(recorder, {}), RecognizerConfig{});
    // 43.59 million with batch normalisations; folding them leaves one number a channel where there were two.
    EXPECT_NEAR(static_cast<double>(recorder->parameter_count()), 43.59e6, 0.05e6);
    EXPECT_EQ(recorder->shape_of("stages.3.0.shortcut.weight"), (std::vector<std::int64_t>{512, 256, 1, 1}));
    EXPECT_EQ(recorder->shape_of("head.weight"), (std::vector<std::int64_t>{512, 25088}));
}

TEST(Recognizer, MakesOneRawVectorAFace) {
    const RecognizerNetwork network(testing::deterministic_weights(), tiny());
    const at::Tensor faces = testing::deterministic_input("faces", {3, 3, 112, 112});
    const at::Tensor vectors = network.forward(faces);
    ASSERT_EQ(vectors.sizes(), (at::IntArrayRef{3, 16}));
    EXPECT_TRUE(vectors.isfinite().all().item<bool>());
    // Each face on its own gives the same.
    EXPECT_TRUE(at::allclose(network.forward(faces.narrow(0, 1, 1)), vectors.narrow(0, 1, 1), 1e-4, 1e-5));
    EXPECT_THROW(network.forward(faces.narrow(2, 0, 100)), EngineError);
}

// The residual unit written out with the plainest operators.
TEST(Recognizer, ResidualUnitIsItsFormula) {
    const WeightScope weights = testing::deterministic_weights() / "unit";
    const ResidualUnit unit(weights, 4, 6, 2);
    const at::Tensor x = testing::deterministic_input("x", {2, 4, 10, 10});
    const std::vector<std::int64_t> stay{1, 1}, halve{2, 2}, none{0, 0}, one{1, 1};
    const at::Tensor normed = x * unit.norm.weight.view({1, 4, 1, 1}) + unit.norm.bias.view({1, 4, 1, 1});
    const at::Tensor first = at::conv2d(normed, unit.conv1.weight, unit.conv1.bias, stay, one);
    const at::Tensor bent = at::where(first > 0, first, first * unit.slope.view({1, 6, 1, 1}));
    const at::Tensor expected = at::conv2d(bent, unit.conv2.weight, unit.conv2.bias, halve, one) +
                                at::conv2d(x, unit.shortcut.weight, unit.shortcut.bias, halve, none);
    EXPECT_TRUE(at::allclose(unit(x), expected, 1e-5, 1e-6));
    EXPECT_EQ(expected.size(2), 5);
}

TEST(Recognizer, NormalisesPictures) {
    const std::vector<Frame> faces{grey_frame(0), grey_frame(255)};
    const at::Tensor arcface = arcface_input(faces);
    EXPECT_EQ(arcface.sizes(), (at::IntArrayRef{2, 3, 112, 112}));
    EXPECT_FLOAT_EQ(arcface[0][0][5][5].item<float>(), -1.0f);
    EXPECT_FLOAT_EQ(arcface[1][2][5][5].item<float>(), 1.0f);
    const at::Tensor clip = clip_pixel_values(faces);
    EXPECT_NEAR(clip[0][0][3][3].item<float>(), -0.48145466 / 0.26862954, 1e-6);
    EXPECT_NEAR(clip[1][2][3][3].item<float>(), (1 - 0.40821073) / 0.27577711, 1e-6);

    Frame colours = grey_frame(0);
    colours.row(7)[3 * 9 + 1] = 255;  // Green at x 9, y 7.
    EXPECT_FLOAT_EQ(arcface_input({&colours, 1})[0][1][7][9].item<float>(), 1.0f);
    EXPECT_FLOAT_EQ(arcface_input({&colours, 1})[0][0][7][9].item<float>(), -1.0f);
    EXPECT_THROW(arcface_input({}), EngineError);
    EXPECT_THROW(arcface_input(std::vector<Frame>{grey_frame(1), Frame{1, 1, {1, 2, 3}}}), EngineError);
}

TEST(Recognizer, EmbedsThroughTheInterface) {
    const NetworkRecognizer recognizer(testing::deterministic_weights(), tiny());
    const FaceRecognizer& face_recognizer = recognizer;
    const std::vector<Frame> faces{grey_frame(10), grey_frame(10), grey_frame(240)};
    const at::Tensor vectors = face_recognizer.embed(faces);
    EXPECT_EQ(face_recognizer.id_pack(), "pocket");
    const at::Tensor similarity = identity_similarity(vectors, vectors);
    EXPECT_NEAR(similarity[0][1].item<float>(), 1.0, 1e-5);
    EXPECT_LT(similarity[0][2].item<float>(), 0.9999);
}

class ConfigFile {
public:
    explicit ConfigFile(const std::string& text) { std::ofstream(path()) << text; }
    std::filesystem::path path() const { return folder_.path() / "config.json"; }

private:
    mirror::testing::ScratchFolder folder_;
};

TEST(Recognizer, ReadsItsConfig) {
    const ConfigFile file(
        R"({"id_dim":16,"stem_width":8,"widths":[8,16,16,24],"depths":[1,2,1,1],"id_pack":"pocket"})");
    const RecognizerConfig config = read_recognizer_config(file.path());
    EXPECT_EQ(config.id_dim, 16);
    EXPECT_EQ(config.stem_width, 8);
    EXPECT_EQ(config.widths, tiny().widths);
    EXPECT_EQ(config.depths, tiny().depths);
    EXPECT_EQ(config.id_pack, "pocket");
}

TEST(Recognizer, RefusesImpossibleConfigs) {
    for (const char* text : {R"({"id_dim":0,"stem_width":8,"widths":[8],"depths":[1],"id_pack":"p"})",
                             R"({"id_dim":16,"stem_width":8,"widths":[8,8],"depths":[1],"id_pack":"p"})",
                             R"({"id_dim":16,"stem_width":8,"widths":[8,8,8,8,8],"depths":[1,1,1,1,1],"id_pack":"p"})",
                             R"({"id_dim":16,"stem_width":8,"widths":[],"depths":[],"id_pack":"p"})",
                             R"({"id_dim":16,"stem_width":8,"widths":[8],"depths":[1]})", "[]", ""}) {
        const ConfigFile file(text);
        EXPECT_THROW(read_recognizer_config(file.path()), EngineError) << text;
    }
}

}  // namespace
}  // namespace mirror::engine
