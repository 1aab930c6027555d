#include "engine/backbones/cogvideox/positions.h"

#include <cmath>
#include <string>

#include "engine/core/result.h"

namespace mirror::engine::cogvideox {

namespace {

constexpr double kTheta = 10000.0;

// Python's round: halves go to the even neighbour, which is the default rounding direction.
std::int64_t round_half_to_even(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

// `width` values a position, each frequency twice in a row.
RotaryTable axis_table(const at::Tensor& positions, std::int64_t width) {
    const at::Tensor exponents = at::arange(0, width, 2, positions.options()) / static_cast<double>(width);
    const at::Tensor angles = at::outer(positions, 1.0 / at::pow(kTheta, exponents));
    return {angles.cos().repeat_interleave(2, 1), angles.sin().repeat_interleave(2, 1)};
}

// One row a token, frames slowest; the values of the three axes side by side.
at::Tensor combine(const at::Tensor& time, const at::Tensor& rows, const at::Tensor& columns) {
    const std::int64_t t = time.size(0);
    const std::int64_t h = rows.size(0);
    const std::int64_t w = columns.size(0);
    return at::cat({time.view({t, 1, 1, -1}).expand({t, h, w, -1}), rows.view({1, h, 1, -1}).expand({t, h, w, -1}),
                    columns.view({1, 1, w, -1}).expand({t, h, w, -1})},
                   -1)
        .flatten(0, 2);
}

// [sin | cos] of one axis, in float64.
at::Tensor axis_sincos(std::int64_t count, double interpolation_scale, std::int64_t width, at::Device device) {
    const at::Tensor positions =
        at::arange(count, at::TensorOptions().dtype(at::kFloat).device(device)) / interpolation_scale;
    const at::Tensor exponents = at::arange(width / 2, positions.options().dtype(at::kDouble)) / (width / 2.0);
    const at::Tensor angles = at::outer(positions.to(at::kDouble), 1.0 / at::pow(kTheta, exponents));
    return at::cat({angles.sin(), angles.cos()}, 1);
}

struct Axes {
    at::Tensor time;
    at::Tensor rows;
    at::Tensor columns;
};

// The 1.0 models: the trained region, resampled. The end is scaled from zero, not from the start; as published.
Axes resampled_axes(std::int64_t frames, std::int64_t height, std::int64_t width, const CropRegion& region,
                    const at::TensorOptions& options) {
    const auto axis = [&](std::int64_t start, std::int64_t stop, std::int64_t count) {
        const double last = static_cast<double>(stop * (count - 1)) / static_cast<double>(count);
        return at::linspace(static_cast<double>(start), last, count, options);
    };
    return {axis(0, frames, frames), axis(region.top, region.bottom, height), axis(region.left, region.right, width)};
}

}  // namespace

CropRegion crop_region(std::int64_t height, std::int64_t width, std::int64_t trained_height,
                       std::int64_t trained_width) {
    const auto h = static_cast<double>(height);
    const auto w = static_cast<double>(width);
    const auto th = static_cast<double>(trained_height);
    const auto tw = static_cast<double>(trained_width);
    std::int64_t resized_height = trained_height;
    std::int64_t resized_width = trained_width;
    if (h / w > th / tw) {
        resized_width = round_half_to_even(th / h * w);
    } else {
        resized_height = round_half_to_even(tw / w * h);
    }
    const std::int64_t top = round_half_to_even(static_cast<double>(trained_height - resized_height) / 2.0);
    const std::int64_t left = round_half_to_even(static_cast<double>(trained_width - resized_width) / 2.0);
    return {top, left, top + resized_height, left + resized_width};
}

RotaryTable rotary_positions(const TransformerConfig& config, const LatentGrid& grid, at::Device device) {
    const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
    const std::int64_t height = grid.height / config.patch_size;
    const std::int64_t width = grid.width / config.patch_size;
    const std::int64_t trained_height = config.sample_height / config.patch_size;
    const std::int64_t trained_width = config.sample_width / config.patch_size;
    Axes axes;
    if (config.patch_size_t) {
        if (height > trained_height || width > trained_width) {
            throw EngineError(ErrorCode::InvalidRequest, "The latents may be at most " +
                                                             std::to_string(config.sample_width) + "x" +
                                                             std::to_string(config.sample_height) +
                                                             " (sample_width x sample_height of the model).");
        }
        const std::int64_t frames = (grid.frames + *config.patch_size_t - 1) / *config.patch_size_t;
        axes = {at::arange(frames, options), at::arange(height, options), at::arange(width, options)};
    } else {
        axes = resampled_axes(grid.frames, height, width, crop_region(height, width, trained_height, trained_width),
                              options);
    }
    const std::int64_t time_width = config.attention_head_dim / 4;
    const std::int64_t space_width = config.attention_head_dim / 8 * 3;
    const RotaryTable time = axis_table(axes.time, time_width);
    const RotaryTable rows = axis_table(axes.rows, space_width);
    const RotaryTable columns = axis_table(axes.columns, space_width);
    return {combine(time.cos, rows.cos, columns.cos), combine(time.sin, rows.sin, columns.sin)};
}

at::Tensor sincos_positions(const TransformerConfig& config, const LatentGrid& grid, at::Device device) {
    const std::int64_t width = config.inner_dim();
    const at::Tensor time = axis_sincos(grid.frames, config.temporal_interpolation_scale, width / 4, device);
    const at::Tensor columns =
        axis_sincos(grid.width / config.patch_size, config.spatial_interpolation_scale, 3 * width / 8, device);
    const at::Tensor rows =
        axis_sincos(grid.height / config.patch_size, config.spatial_interpolation_scale, 3 * width / 8, device);
    const std::int64_t t = time.size(0);
    const std::int64_t h = rows.size(0);
    const std::int64_t w = columns.size(0);
    // The columns' values stand before the rows'.
    const at::Tensor video =
        at::cat({time.view({t, 1, 1, -1}).expand({t, h, w, -1}), columns.view({1, 1, w, -1}).expand({t, h, w, -1}),
                 rows.view({1, h, 1, -1}).expand({t, h, w, -1})},
                -1);
    const at::Tensor text = at::zeros({config.max_text_seq_length, width}, video.options());
    return at::cat({text, video.flatten(0, 2)}, 0).unsqueeze(0);
}

at::Tensor time_sinusoid(const at::Tensor& timesteps, std::int64_t width, const TransformerConfig& config) {
    const std::int64_t half = width / 2;
    const auto options = at::TensorOptions().dtype(at::kFloat).device(timesteps.device());
    const at::Tensor exponents =
        at::arange(half, options) * -std::log(kTheta) / static_cast<double>(half - config.freq_shift);
    const at::Tensor angles = timesteps.to(at::kFloat).unsqueeze(1) * exponents.exp().unsqueeze(0);
    if (config.flip_sin_to_cos) return at::cat({angles.cos(), angles.sin()}, 1);
    return at::cat({angles.sin(), angles.cos()}, 1);
}

}  // namespace mirror::engine::cogvideox
