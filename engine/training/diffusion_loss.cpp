#include "engine/training/diffusion_loss.h"

#include <algorithm>

namespace mirror::engine::training {

namespace {

constexpr double kLeastCells = 4.0;
constexpr double kMostSignalOfAPair = 0.005;

}  // namespace

NoiseTable::NoiseTable(const ScheduleConfig& config)
    : alphas_(at::tensor(cumulative_alphas(config), at::kDouble).to(at::kFloat)) {}

std::vector<std::int64_t> NoiseTable::spread_timesteps(RandomStream& random, std::int64_t count,
                                                       double noisy_share) const {
    std::vector<std::int64_t> times;
    const auto all = static_cast<double>(timesteps());
    for (std::int64_t i = 0; i < count; ++i) {
        const double place = (static_cast<double>(i) + random.uniform()) / static_cast<double>(count);
        const double calm = 1.0 - noisy_share;
        const double time =
            place < calm ? place / calm * (1.0 - kNoisyPart) : 1.0 - (1.0 - place) / noisy_share * kNoisyPart;
        times.push_back(std::min(static_cast<std::int64_t>(time * all), timesteps() - 1));
    }
    return times;
}

NoisedLatents NoiseTable::noised(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& timesteps) const {
    const at::Tensor alpha = alphas_.index_select(0, timesteps.to(at::kCPU)).to(x0.device()).view({-1, 1, 1, 1, 1});
    const at::Tensor signal = alpha.sqrt(), spread = (1.0 - alpha).sqrt();
    return {signal * x0 + spread * noise, signal * noise - spread * x0, alpha};
}

at::Tensor noise_for(const BatchPlace& place, const at::Tensor& part, RandomStream& random, std::int64_t alike) {
    std::vector<std::int64_t> shape = part.sizes().vec();
    shape[0] = place.size / alike;
    return place.part_of(random.normal(shape).repeat_interleave(alike, 0));
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

at::Tensor pair_loss(const at::Tensor& velocity, const at::Tensor& wish, const at::Tensor& alpha) {
    const at::Tensor error = (velocity.to(at::kFloat) - wish).unflatten(0, {-1, 2});
    const at::Tensor hidden = alpha.unflatten(0, {-1, 2}).select(1, 0).le(kMostSignalOfAPair);
    return ((error.select(1, 1) - error.select(1, 0)).square() * hidden).mean();
}

}  // namespace mirror::engine::training
