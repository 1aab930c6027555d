#include "engine/vae/vae_layers.h"

#include <c10/core/GradMode.h>

namespace mirror::engine {

namespace {

constexpr std::int64_t kTimeKernel = 3;
// The norms of the decoder and the last one of the encoder have this in the code, whatever norm_eps says.
constexpr double kSpatialNormEpsilon = 1e-6;

bool first_frame_stands_apart(std::int64_t frames) { return frames > 1 && frames % 2 == 1; }

at::Tensor frames_from(const at::Tensor& x, std::int64_t begin) { return x.narrow(2, begin, x.size(2) - begin); }

// A two-dimensional convolution on every frame.
at::Tensor conv_per_frame(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                          std::int64_t padding) {
    const at::Tensor frames = x.transpose(1, 2).flatten(0, 1);  // [B * T, C, H, W]
    const at::Tensor y = at::conv2d(frames, weight, bias, stride, padding);
    return y.unflatten(0, {x.size(0), x.size(2)}).transpose(1, 2);
}

// Means of frames 0 and 1, 2 and 3, ...
at::Tensor average_pairs(const at::Tensor& x) {
    const at::Tensor rows = x.contiguous().view({x.size(0) * x.size(1), x.size(2), x.size(3) * x.size(4)});
    const at::Tensor means = at::avg_pool2d(rows, {2, 1}, {2, 1});
    return means.view({x.size(0), x.size(1), x.size(2) / 2, x.size(3), x.size(4)});
}

at::Tensor larger_frames(const at::Tensor& x) {
    return at::upsample_nearest3d(x, {x.size(2), x.size(3) * 2, x.size(4) * 2});
}

// Every frame twice, but for a first one that stands apart.
at::Tensor doubled_in_time(const at::Tensor& x) {
    const std::int64_t apart = first_frame_stands_apart(x.size(2)) ? 1 : 0;
    const at::Tensor places = at::arange(apart, 2 * x.size(2), at::TensorOptions(at::kLong).device(x.device()));
    return x.transpose(1, 2).index_select(1, places.div(2, "floor")).transpose(1, 2);
}

}  // namespace

at::Tensor TimeCache::lead_in(const at::Tensor& x, std::int64_t count) {
    if (next_ == tails_.size()) tails_.emplace_back();
    at::Tensor& tail = tails_[next_++];
    const at::Tensor lead = tail.defined() ? tail : x.narrow(2, 0, 1).expand({-1, -1, count, -1, -1});
    at::Tensor led = at::cat({lead, x}, 2);
    // A copy: a view would keep the whole input alive.
    tail = last_ ? at::Tensor() : frames_from(led, led.size(2) - count).clone();
    return led;
}

bool TimeCache::passes_over_picture(const at::Tensor& x) {
    if (x.size(2) != 1 || !last_ || next_ != tails_.size()) return false;
    tails_.emplace_back();
    ++next_;
    return true;
}

CausalConv3d::CausalConv3d(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs)
    : weight((weights / "conv").tensor("weight", {outputs, inputs, kTimeKernel, 3, 3})),
      bias((weights / "conv").tensor("bias", {outputs})) {}

at::Tensor CausalConv3d::operator()(const at::Tensor& x, TimeCache& cache) const {
    // A picture is led by itself twice, so that the kernel may be summed over time first: the same up to rounding in a
    // third of the work, which is worth it in training only.
    if (c10::GradMode::is_enabled() && weight.requires_grad() && cache.passes_over_picture(x))
        return at::conv2d(x.squeeze(2), weight.sum(2), bias, /*stride=*/1, /*padding=*/1).unsqueeze(2);
    return at::conv3d(cache.lead_in(x, kTimeKernel - 1), weight, bias, /*stride=*/1, /*padding=*/{0, 1, 1});
}

PointwiseConv3d::PointwiseConv3d(const WeightScope& weights, std::int64_t inputs, std::int64_t outputs)
    : weight(weights.tensor("weight", {outputs, inputs, 1, 1, 1})), bias(weights.tensor("bias", {outputs})) {}

at::Tensor PointwiseConv3d::operator()(const at::Tensor& x) const { return at::conv3d(x, weight, bias); }

GroupNorm::GroupNorm(const WeightScope& weights, std::int64_t channels, std::int64_t groups_, double epsilon_)
    : weight(weights.tensor("weight", {channels})),
      bias(weights.tensor("bias", {channels})),
      groups(groups_),
      epsilon(epsilon_) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const { return at::group_norm(x, groups, weight, bias, epsilon); }

const at::Tensor& LatentGuide::at_size_of(const at::Tensor& f) {
    const auto size = f.sizes().slice(2);
    for (const auto& known : sizes_) {
        if (known.sizes().slice(2) == size) return known;
    }
    if (!first_frame_stands_apart(f.size(2))) return sizes_.emplace_back(at::upsample_nearest3d(latents_, size));
    const at::Tensor first = at::upsample_nearest3d(latents_.narrow(2, 0, 1), {1, f.size(3), f.size(4)});
    const at::Tensor rest = at::upsample_nearest3d(frames_from(latents_, 1), {f.size(2) - 1, f.size(3), f.size(4)});
    return sizes_.emplace_back(at::cat({first, rest}, 2));
}

SpatialNorm3d::SpatialNorm3d(const WeightScope& weights, std::int64_t channels, std::int64_t latent_channels,
                             std::int64_t groups)
    : norm(weights / "norm_layer", channels, groups, kSpatialNormEpsilon),
      scale(weights / "conv_y" / "conv", latent_channels, channels),
      shift(weights / "conv_b" / "conv", latent_channels, channels) {}

at::Tensor SpatialNorm3d::operator()(const at::Tensor& f, LatentGuide& guide) const {
    const at::Tensor& zq = guide.at_size_of(f);
    return norm(f).mul_(scale(zq)).add_(shift(zq));
}

Downsampler3d::Downsampler3d(const WeightScope& weights, std::int64_t channels, Time time_)
    : weight((weights / "conv").tensor("weight", {channels, channels, 3, 3})),
      bias((weights / "conv").tensor("bias", {channels})),
      time(time_) {}

at::Tensor Downsampler3d::operator()(const at::Tensor& x) const {
    at::Tensor y = x;
    if (time == Time::Halve && x.size(2) > 1) {
        y = x.size(2) % 2 == 0 ? average_pairs(x) : at::cat({x.narrow(2, 0, 1), average_pairs(frames_from(x, 1))}, 2);
    }
    return conv_per_frame(at::constant_pad_nd(y, {0, 1, 0, 1}), weight, bias, /*stride=*/2, /*padding=*/0);
}

Upsampler3d::Upsampler3d(const WeightScope& weights, std::int64_t channels, Time time_)
    : weight((weights / "conv").tensor("weight", {channels, channels, 3, 3})),
      bias((weights / "conv").tensor("bias", {channels})),
      time(time_) {}

at::Tensor Upsampler3d::operator()(const at::Tensor& x) const {
    // The published order is to repeat frames and then to convolve each of them: the same numbers in twice the work.
    const at::Tensor y = conv_per_frame(larger_frames(x), weight, bias, /*stride=*/1, /*padding=*/1);
    return time == Time::Keep || x.size(2) == 1 ? y : doubled_in_time(y);
}

}  // namespace mirror::engine
