#include "engine/samplers/schedule.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/core/result.h"

namespace mirror::engine {

namespace {

// numpy's arange(start, stop, step) in double: the length is rounded up, and every value is start plus a multiple of
// the rounded difference of the first two, so that the last one may pass `stop`.
std::vector<double> numpy_arange(double start, double stop, double step) {
    const auto length = static_cast<std::size_t>(std::max(0.0, std::ceil((stop - start) / step)));
    const double delta = (start + step) - start;
    std::vector<double> values(length);
    for (std::size_t i = 0; i < length; ++i) values[i] = start + static_cast<double>(i) * delta;
    return values;
}

// numpy's linspace(0, stop, count).
std::vector<double> numpy_linspace(double stop, int count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    const double step = count > 1 ? stop / (count - 1) : 0.0;
    for (int i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = i * step;
    if (count > 1) values.back() = stop;
    return values;
}

// numpy's round: halves to even, which is the default rounding direction.
std::int64_t round_half_to_even(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

at::Tensor zero_terminal_snr(const at::Tensor& alphas) {
    const at::Tensor root = alphas.sqrt();
    const at::Tensor first = root[0];
    const at::Tensor last = root[-1];
    return ((root - last) * (first / (first - last))).square();
}

std::string nearest_usable_counts(const ScheduleConfig& config, int steps) {
    const int most = static_cast<int>(config.num_train_timesteps);
    std::string counts;
    for (int below = std::min(steps - 1, most); below >= 1; --below) {
        if (!is_usable_step_count(config, below)) continue;
        counts = std::to_string(below);
        break;
    }
    for (int above = std::max(steps + 1, 1); above <= most; ++above) {
        if (!is_usable_step_count(config, above)) continue;
        counts += (counts.empty() ? "" : " and ") + std::to_string(above);
        break;
    }
    return counts;
}

}  // namespace

std::vector<double> cumulative_alphas(const ScheduleConfig& config) {
    const at::Tensor betas =
        at::linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), config.num_train_timesteps, at::kDouble)
            .square();
    at::Tensor alphas = at::cumprod(1.0 - betas, 0);
    const double shift = config.snr_shift_scale;
    alphas = alphas / (shift + (1.0 - shift) * alphas);
    if (config.rescale_betas_zero_snr) alphas = zero_terminal_snr(alphas);
    alphas = alphas.contiguous();
    const double* values = alphas.const_data_ptr<double>();
    return {values, values + alphas.numel()};
}

std::vector<std::int64_t> published_timesteps(const ScheduleConfig& config, int steps) {
    const std::int64_t trained = config.num_train_timesteps;
    std::vector<std::int64_t> timesteps;
    switch (config.timestep_spacing) {
        case TimestepSpacing::Trailing:
            for (const double value : numpy_arange(static_cast<double>(trained), 0.0,
                                                   -(static_cast<double>(trained) / static_cast<double>(steps)))) {
                timesteps.push_back(round_half_to_even(value) - 1);
            }
            break;
        case TimestepSpacing::Leading:
            for (std::int64_t i = steps - 1; i >= 0; --i)
                timesteps.push_back(i * (trained / steps) + config.steps_offset);
            break;
        case TimestepSpacing::Linspace:
            for (const double value : numpy_linspace(static_cast<double>(trained - 1), steps)) {
                timesteps.push_back(round_half_to_even(value));
            }
            std::reverse(timesteps.begin(), timesteps.end());
            break;
    }
    return timesteps;
}

bool is_usable_step_count(const ScheduleConfig& config, int steps) {
    if (steps < 1 || steps > config.num_train_timesteps) return false;
    const std::vector<std::int64_t> timesteps = published_timesteps(config, steps);
    return timesteps.size() == static_cast<std::size_t>(steps) && timesteps.back() >= 0 &&
           timesteps.front() < config.num_train_timesteps;
}

Schedule::Schedule(const ScheduleConfig& config, int steps) : config_(config) {
    if (!is_usable_step_count(config, steps)) {
        const std::string counts = nearest_usable_counts(config, steps);
        throw EngineError(ErrorCode::InvalidRequest,
                          "--steps " + std::to_string(steps) +
                              " has no usable list of timesteps in this checkpoint's schedule" +
                              (counts.empty() ? "." : "; the nearest usable step counts are " + counts + "."));
    }
    timesteps_ = published_timesteps(config, steps);
    alphas_ = cumulative_alphas(config);
}

std::int64_t Schedule::previous_timestep(int step) const {
    return timesteps_[static_cast<std::size_t>(step)] - config_.num_train_timesteps / steps();
}

bool Schedule::has_previous_timestep(int step) const { return previous_timestep(step) >= 0; }

double Schedule::alpha_at(int step) const {
    return alphas_[static_cast<std::size_t>(timesteps_[static_cast<std::size_t>(step)])];
}

double Schedule::alpha_after(int step) const {
    if (has_previous_timestep(step)) return alphas_[static_cast<std::size_t>(previous_timestep(step))];
    return config_.set_alpha_to_one ? 1.0 : alphas_.front();
}

}  // namespace mirror::engine
