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

at::Tensor noise_for(const BatchPlace& place, const at::Tensor& part, RandomStream& random) {
    std::vector<std::int64_t> shape = part.sizes().vec();
    shape[0] = place.size;
    return place.part_of(random.normal(shape));
}

at::Tensor velocity_loss(const at::Tensor& velocity, const at::Tensor& wish, const at::Tensor& face_area,
                         const std::vector<bool>& inside) {
    const at::Tensor error = (velocity.to(at::kFloat) - wish).square().mean(2);  // [B, F, h, w]
    const at::Tensor area = face_area.squeeze(2);
    const at::Tensor cells = area.sum({1, 2, 3}, /*keepdim=*/true);
    const std::vector<std::uint8_t> wanted(inside.begin(), inside.end());
    const at::Tensor masked = at::tensor(wanted, at::kByte).to(area.device(), at::kBool).view({-1, 1, 1, 1});
    const at::Tensor whole = at::ones_like(area).div_(static_cast<double>(area[0].numel()));
    const at::Tensor weight = at::where(masked.logical_and(cells.ge(kLeastCells)), area / cells.clamp_min(1.0), whole);
    return (error * weight).sum({1, 2, 3});
}

}  // namespace mirror::engine::training
