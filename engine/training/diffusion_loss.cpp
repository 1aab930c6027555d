#include "engine/training/diffusion_loss.h"

namespace mirror::engine::training {

namespace {

constexpr double kLeastCells = 4.0;

}  // namespace

NoiseTable::NoiseTable(const ScheduleConfig& config)
    : alphas_(at::tensor(cumulative_alphas(config), at::kDouble).to(at::kFloat)) {}

std::vector<std::int64_t> NoiseTable::spread_timesteps(RandomStream& random, std::int64_t count) const {
    std::vector<std::int64_t> times;
    const double part = static_cast<double>(timesteps()) / static_cast<double>(count);
    for (std::int64_t i = 0; i < count; ++i)
        times.push_back(static_cast<std::int64_t>((static_cast<double>(i) + random.uniform()) * part));
    return times;
}

NoisedLatents NoiseTable::noised(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& timesteps) const {
    const at::Tensor alpha = alphas_.index_select(0, timesteps.to(at::kCPU)).to(x0.device()).view({-1, 1, 1, 1, 1});
    const at::Tensor signal = alpha.sqrt(), spread = (1.0 - alpha).sqrt();
    return {signal * x0 + spread * noise, signal * noise - spread * x0, alpha};
}

at::Tensor velocity_loss(const at::Tensor& velocity, const at::Tensor& wish, const at::Tensor& face_area,
                         const std::vector<bool>& inside) {
    const at::Tensor error = (velocity.to(at::kFloat) - wish).square();
    std::vector<at::Tensor> losses;
    for (std::int64_t b = 0; b < error.size(0); ++b) {
        const at::Tensor area = face_area[b];
        const double cells = area.sum().item<double>();
        const bool masked = inside[static_cast<std::size_t>(b)] && cells >= kLeastCells;
        losses.push_back(masked ? (error[b] * area).sum() / (cells * static_cast<double>(error.size(2)))
                                : error[b].mean());
    }
    return at::stack(losses);
}

}  // namespace mirror::engine::training
