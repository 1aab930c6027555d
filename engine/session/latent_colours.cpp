#include "engine/session/latent_colours.h"

#include <cmath>
#include <cstring>

#include "engine/weights/weight_source.h"

namespace mirror::engine {

namespace {

constexpr std::int64_t kPatches = 6;        // A side of the chart, in patches of one colour.
constexpr std::int64_t kCellsPerPatch = 2;  // Latent cells a side, so that some cells see one colour only.
constexpr double kRidge = 1e-3;             // Keeps the fit defined where channels do not vary.

// [1, 3, 1, side, side] in -1..1: a colour for each patch, spread evenly by the golden ratio's powers in three
// dimensions.
at::Tensor colour_chart(std::int64_t cell) {
    constexpr double kSpread[3] = {0.8191725133961645, 0.6710436067037893, 0.5497004779019703};
    at::Tensor colours = at::empty({3, kPatches, kPatches}, at::kFloat);
    auto values = colours.accessor<float, 3>();
    for (std::int64_t channel = 0; channel < 3; ++channel) {
        for (std::int64_t patch = 0; patch < kPatches * kPatches; ++patch) {
            const double turn = static_cast<double>(patch + 1) * kSpread[channel];
            values[channel][patch / kPatches][patch % kPatches] = static_cast<float>(2 * (turn - std::floor(turn)) - 1);
        }
    }
    const std::int64_t repeats = kCellsPerPatch * cell;
    return colours.repeat_interleave(repeats, 1).repeat_interleave(repeats, 2).unsqueeze(0).unsqueeze(2);
}

at::Tensor with_constant(const at::Tensor& cells) {
    return at::cat({cells, at::ones({cells.size(0), 1}, cells.options())}, 1);
}

}  // namespace

LatentColours::LatentColours(const CogVideoXVae& vae, const Placement& placement) {
    const std::int64_t cell = vae.config().spatial_compression();
    const at::Tensor chart = colour_chart(cell);
    const at::Tensor mean = vae.encode(chart.to(placement.device, placement.dtype)).mean.to(at::kCPU, at::kDouble);
    const std::int64_t channels = mean.size(1);
    const at::Tensor inputs = with_constant(mean.reshape({channels, -1}).t());  // [cells, C + 1]
    const at::Tensor colours =
        at::avg_pool2d(chart[0].permute({1, 0, 2, 3}), cell)[0].reshape({3, -1}).t().to(at::kDouble);
    const at::Tensor normal = inputs.t().matmul(inputs) + kRidge * at::eye(channels + 1, inputs.options());
    factors_ = at::linalg_solve(normal, inputs.t().matmul(colours)).to(at::kFloat);
}

std::vector<Frame> LatentColours::operator()(const at::Tensor& latents) const {
    const at::Tensor cells = latents[0].to(at::kCPU, at::kFloat).permute({1, 2, 3, 0});  // [F, h, w, C]
    const at::Tensor flat = cells.reshape({-1, cells.size(3)});
    const at::Tensor colours =
        with_constant(flat).matmul(factors_).reshape({cells.size(0), cells.size(1), cells.size(2), 3});
    std::vector<Frame> frames;
    for (std::int64_t i = 0; i < colours.size(0); ++i)
        frames.push_back(frame_from_samples(colours[i].permute({2, 0, 1})));
    return frames;
}

Frame frame_from_samples(const at::Tensor& samples) {
    const at::Tensor unit = (samples * 0.5 + 0.5).clamp(0, 1).to(at::kCPU, at::kFloat);
    const at::Tensor bytes = (unit * 255.0).round().to(at::kByte).permute({1, 2, 0}).contiguous();
    Frame frame;
    frame.height = static_cast<int>(bytes.size(0));
    frame.width = static_cast<int>(bytes.size(1));
    frame.rgb.resize(static_cast<std::size_t>(bytes.numel()));
    std::memcpy(frame.rgb.data(), bytes.const_data_ptr<std::uint8_t>(), frame.rgb.size());
    return frame;
}

}  // namespace mirror::engine
