#include "engine/face/recognizer_network.h"

#include "engine/core/result.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {
namespace {

// 112 can be halved four times.
constexpr std::size_t max_stages = 4;

}  // namespace

RecognizerConfig read_recognizer_config(const std::filesystem::path& file) {
    return read_recognizer_config(ConfigReader::open(file));
}

RecognizerConfig read_recognizer_config(const ConfigReader& reader) {
    RecognizerConfig config;
    config.id_dim = reader.integer("id_dim", 1, 8192);
    config.stem_width = reader.integer("stem_width", 1, 4096);
    config.widths = reader.integers("widths", 1, 8192);
    config.depths = reader.integers("depths", 1, 256);
    config.id_pack = reader.text("id_pack");
    if (config.widths.empty() || config.widths.size() > max_stages || config.widths.size() != config.depths.size())
        reader.refuse("widths", "must be as long as depths, 1 to 4 numbers.");
    return config;
}

RecognizerConv::RecognizerConv(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs,
                               std::int64_t kernel, std::int64_t stride_)
    : weight(weights.tensor("weight", {outputs, inputs, kernel, kernel})),
      bias(weights.tensor("bias", {outputs})),
      stride(stride_) {}

at::Tensor RecognizerConv::operator()(const at::Tensor& x) const {
    const std::int64_t padding = weight.size(2) / 2;
    return at::conv2d(x, weight, bias, stride, padding);
}

ChannelAffine::ChannelAffine(const WeightScope& weights, std::int64_t channels)
    : weight(weights.tensor("weight", {channels})), bias(weights.tensor("bias", {channels})) {}

at::Tensor ChannelAffine::operator()(const at::Tensor& x) const {
    return x * weight.view({1, -1, 1, 1}) + bias.view({1, -1, 1, 1});
}

ResidualUnit::ResidualUnit(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs, std::int64_t stride)
    : norm(weights / "norm", inputs),
      conv1(weights / "conv1", inputs, outputs, 3, 1),
      slope((weights / "prelu").tensor("weight", {outputs})),
      conv2(weights / "conv2", outputs, outputs, 3, stride) {
    if (stride != 1 || inputs != outputs) shortcut = RecognizerConv(weights / "shortcut", inputs, outputs, 1, stride);
}

at::Tensor ResidualUnit::operator()(const at::Tensor& x) const {
    const at::Tensor inner = conv2(at::prelu(conv1(norm(x)), slope));
    return inner + (shortcut.weight.defined() ? shortcut(x) : x);
}

RecognizerNetwork::RecognizerNetwork(const WeightScope& weights, const RecognizerConfig& config)
    : config_(config),
      stem_(weights / "stem" / "conv", 3, config.stem_width, 3, 1),
      stem_slope_((weights / "stem" / "prelu").tensor("weight", {config.stem_width})) {
    std::int64_t channels = config.stem_width;
    std::int64_t side = RecognizerConfig::image_size;
    for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
        const WeightScope scope = weights / "stages" / static_cast<std::int64_t>(stage);
        for (std::int64_t unit = 0; unit < config.depths[stage]; ++unit) {
            units_.emplace_back(scope / unit, channels, config.widths[stage], unit == 0 ? 2 : 1);
            channels = config.widths[stage];
        }
        side /= 2;
    }
    norm_ = ChannelAffine(weights / "norm", channels);
    head_ = Linear(weights / "head", channels * side * side, config.id_dim);
}

at::Tensor RecognizerNetwork::forward(const at::Tensor& faces) const {
    constexpr std::int64_t size = RecognizerConfig::image_size;
    if (faces.dim() != 4 || faces.size(1) != 3 || faces.size(2) != size || faces.size(3) != size)
        throw EngineError(ErrorCode::ShapeMismatch, "The face recogniser wants pictures of shape [N, 3, 112, 112].");
    at::Tensor x = at::prelu(stem_(faces), stem_slope_);
    for (const ResidualUnit& unit : units_) x = unit(x);
    return head_(norm_(x).flatten(1));
}

}  // namespace mirror::engine
