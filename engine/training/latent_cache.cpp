#include "engine/training/latent_cache.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

namespace mirror::engine::training {

namespace {

constexpr double kEnlarged = 1.3;

// How much of each of `count` cells lies between two edges, given in cells.
at::Tensor coverage(double begin, double end, std::int64_t count) {
    at::Tensor result = at::zeros({count});
    for (std::int64_t i = 0; i < count; ++i) {
        const auto cell = static_cast<double>(i);
        result[i] = std::clamp(std::min(end, cell + 1) - std::max(begin, cell), 0.0, 1.0);
    }
    return result;
}

}  // namespace

at::Tensor face_area(const std::vector<people::DrawnFace>& faces, std::int64_t height, std::int64_t width,
                     std::int64_t cell, std::int64_t frames_of_a_latent) {
    std::vector<at::Tensor> areas;
    for (const auto& drawn : faces) {
        const FaceBox& box = drawn.face;
        const double grow_x = (kEnlarged - 1) / 2 * (box.x1 - box.x0), grow_y = (kEnlarged - 1) / 2 * (box.y1 - box.y0);
        const auto scale = static_cast<double>(cell);
        const at::Tensor rows = coverage((box.y0 - grow_y) / scale, (box.y1 + grow_y) / scale, height);
        const at::Tensor columns = coverage((box.x0 - grow_x) / scale, (box.x1 + grow_x) / scale, width);
        areas.push_back(at::outer(rows, columns).unsqueeze(0));
    }
    const at::Tensor all = at::stack(areas);  // [T, 1, h, w]
    if (all.size(0) == 1) return all;
    const at::Tensor rest = all.narrow(0, 1, all.size(0) - 1).unflatten(0, {-1, frames_of_a_latent}).mean(1);
    return at::cat({all.narrow(0, 0, 1), rest});
}

LatentCache::LatentCache(std::shared_ptr<const CogVideoXVae> vae, at::Device device, DrawnOptions options,
                         people::Split split, std::uint64_t seed)
    : vae_(std::move(vae)), device_(device), options_(std::move(options)), split_(split), seed_(seed) {}

const LatentClip& LatentCache::clip(std::int64_t item, bool still) {
    const auto key = std::pair(item, still);
    const auto found = clips_.find(key);
    return found != clips_.end() ? found->second : clips_.emplace(key, make(item, still)).first->second;
}

LatentClip LatentCache::make(std::int64_t item, bool still) const {
    const c10::NoGradGuard no_gradients;
    const int frames = still ? 1 : options_.frames;
    const DrawnClip clip = draw(drawn_scene(options_, split_, still ? seed_ : ~seed_, item, frames));
    const at::Tensor mean = vae_->encode(to_signal(clip.pixels).unsqueeze(0).to(device_)).mean[0];
    const VaeConfig& config = vae_->config();
    LatentClip made{clip.scene, {}, {}, clip.faces.front().face};
    made.latents = (mean.permute({1, 0, 2, 3}) * config.scaling_factor).to(at::kCPU, at::kBFloat16).contiguous();
    made.face_area = face_area(clip.faces, mean.size(2), mean.size(3), config.spatial_compression(),
                               config.temporal_compression_ratio);
    return made;
}

}  // namespace mirror::engine::training
