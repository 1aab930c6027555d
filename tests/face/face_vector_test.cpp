// From a photograph to its identity vector: OpenCV, dlib and libtorch in one process.

#include <gtest/gtest.h>

#include <fstream>

#include "engine/face/face_reader.h"
#include "engine/face/face_recognizer.h"
#include "engine/face/onnx_recognizer.h"
#include "tests/support/deterministic.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/scratch_folder.h"

namespace mirror {
namespace {

const std::filesystem::path astronaut = MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg";

TEST(FaceVector, IsTheSameForTheSamePhotograph) {
    const engine::RecognizerConfig config{16, 8, {8, 8, 8, 8}, {1, 1, 1, 1}, "pocket"};
    const engine::NetworkRecognizer recognizer(engine::testing::deterministic_weights(), config);
    const auto reader = face::make_face_reader();
    std::vector<Frame> faces;
    for (int i = 0; i < 2; ++i) {
        Result<ReferenceFace> reference = reader->reference({astronaut, {}}, ReferenceCrop::SquareFace, 2.0, 112);
        ASSERT_TRUE(reference.ok()) << reference.error().detail;
        faces.push_back(std::move(reference).value().aligned);
    }
    const at::Tensor vectors = recognizer.embed(faces);
    EXPECT_EQ(vectors.sizes(), (at::IntArrayRef{2, 16}));
    EXPECT_TRUE(vectors.isfinite().all().item<bool>());
    EXPECT_TRUE(at::equal(vectors[0], vectors[1]));
}

// An IResNet as PyTorch exports it to ONNX, with the weights that the network of the checkpoints gets by name.
class ExportedRecognizer {
public:
    explicit ExportedRecognizer(const engine::RecognizerConfig& config)
        : config_(config),
          writer_({-1, 3, engine::RecognizerConfig::image_size, engine::RecognizerConfig::image_size}) {}

    std::string bytes() {
        std::int64_t channels = config_.stem_width;
        std::string x = prelu(convolution("input", "stem.conv", 3, channels, 3, 1), "stem.prelu", channels);
        std::int64_t side = engine::RecognizerConfig::image_size;
        for (std::size_t stage = 0; stage < config_.widths.size(); ++stage) {
            for (std::int64_t unit = 0; unit < config_.depths[stage]; ++unit) {
                const std::string name = "stages." + std::to_string(stage) + "." + std::to_string(unit);
                x = residual(x, name, channels, config_.widths[stage], unit == 0 ? 2 : 1);
                channels = config_.widths[stage];
            }
            side /= 2;
        }
        const std::string flat = writer_.operation("Flatten", {norm(x, "norm", channels)}, {{"axis", std::int64_t{1}}});
        const std::string head =
            writer_.operation("Gemm",
                              {flat, weight("head.weight", {config_.id_dim, channels * side * side}),
                               weight("head.bias", {config_.id_dim})},
                              {{"transB", std::int64_t{1}}});
        writer_.output(head, {1, config_.id_dim});
        return writer_.bytes();
    }

private:
    static std::vector<float> values(const at::Tensor& tensor) {
        const at::Tensor flat = tensor.to(at::kFloat).contiguous().flatten();
        return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
    }
    std::string weight(const std::string& name, const std::vector<std::int64_t>& shape) {
        return writer_.constant(shape, values(engine::testing::deterministic_parameter(name, shape)));
    }
    std::string convolution(const std::string& x, const std::string& name, std::int64_t inputs, std::int64_t outputs,
                            std::int64_t kernel, std::int64_t stride) {
        using Sizes = std::vector<std::int64_t>;
        return writer_.operation(
            "Conv", {x, weight(name + ".weight", {outputs, inputs, kernel, kernel}), weight(name + ".bias", {outputs})},
            {{"kernel_shape", Sizes{kernel, kernel}},
             {"strides", Sizes{stride, stride}},
             {"pads", Sizes(4, kernel / 2)}});
    }
    std::string prelu(const std::string& x, const std::string& name, std::int64_t channels) {
        const at::Tensor slope = engine::testing::deterministic_parameter(name + ".weight", {channels});
        return writer_.operation("PRelu", {x, writer_.constant({channels, 1, 1}, values(slope))});
    }
    // Scale, shift, mean and variance that together are the scale and shift of the folded form.
    std::string norm(const std::string& x, const std::string& name, std::int64_t channels) {
        constexpr double kMean = 0.125, kVariance = 4, kEpsilon = 1e-5;
        const at::Tensor scale = engine::testing::deterministic_parameter(name + ".weight", {channels});
        const at::Tensor shift = engine::testing::deterministic_parameter(name + ".bias", {channels});
        const std::vector<std::int64_t> shape{channels};
        return writer_.operation(
            "BatchNormalization",
            {x, writer_.constant(shape, values(scale * 2)), writer_.constant(shape, values(shift + scale * kMean)),
             writer_.constant(shape, values(at::full({channels}, kMean))),
             writer_.constant(shape, values(at::full({channels}, kVariance - kEpsilon)))},
            {{"epsilon", static_cast<float>(kEpsilon)}});
    }
    std::string residual(const std::string& x, const std::string& name, std::int64_t inputs, std::int64_t outputs,
                         std::int64_t stride) {
        const std::string first = convolution(norm(x, name + ".norm", inputs), name + ".conv1", inputs, outputs, 3, 1);
        const std::string second =
            convolution(prelu(first, name + ".prelu", outputs), name + ".conv2", outputs, outputs, 3, stride);
        const bool changes = stride != 1 || inputs != outputs;
        const std::string beside = changes ? convolution(x, name + ".shortcut", inputs, outputs, 1, stride) : x;
        return writer_.operation("Add", {second, beside});
    }

    engine::RecognizerConfig config_;
    testing::OnnxWriter writer_;
};

TEST(FaceVector, IsTheSameFromThePublishedFileAndFromACheckpoint) {
    const engine::RecognizerConfig config{512, 8, {8, 12, 16, 16}, {1, 2, 1, 1}, "buffalo_l/w600k_r50"};
    const testing::ScratchFolder folder;
    std::ofstream(folder.path() / "w600k_r50.onnx", std::ios::binary) << ExportedRecognizer(config).bytes();
    face::OnnxRecognizer published(folder.path() / "w600k_r50.onnx", face::NetworkKind::ArcFace);
    const auto reader = face::make_face_reader();
    const auto reference = reader->reference({astronaut, {}}, ReferenceCrop::SquareFace, 2.0, 112);
    ASSERT_TRUE(reference.ok()) << reference.error().detail;
    const std::vector<Frame> faces{reference.value().aligned};
    const auto vectors = published.embed(faces);
    ASSERT_TRUE(vectors.ok()) << vectors.error().detail;
    const at::Tensor theirs = at::tensor(vectors.value()[0], at::kFloat);
    const engine::NetworkRecognizer ours(engine::testing::deterministic_weights(), config);
    const at::Tensor expected = ours.embed(faces)[0];
    EXPECT_LT((theirs - expected).abs().max().item<float>(), 2e-4 * expected.abs().max().item<float>());
}

}  // namespace
}  // namespace mirror
