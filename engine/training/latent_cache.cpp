#include "engine/training/latent_cache.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <iomanip>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/formats/sha256.h"
#include "engine/training/face_numbers.h"
#include "engine/weights/tensor_file.h"

namespace mirror::engine::training {

namespace {

constexpr double kEnlarged = 1.3;
constexpr std::int64_t kBlock = 64;  // Clips of a file.

struct StoredBlock {
    at::Tensor latents;    // [N, F, Z, h, w]
    at::Tensor face_area;  // [N, F, 1, h, w]
    at::Tensor faces;      // [N, kFaceNumbers]
};

// Nothing if there is no such file, or none that this program wrote: it is made again then.
std::optional<StoredBlock> read_block(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;
    try {
        TensorMap tensors = load_tensors(file);
        StoredBlock block{tensors["latents"], tensors["face_area"], tensors["faces"]};
        const bool whole = block.latents.defined() && block.face_area.defined() && block.faces.defined() &&
                           block.latents.dim() == 5 && block.latents.size(0) == kBlock && block.face_area.dim() == 5 &&
                           block.face_area.size(0) == kBlock &&
                           block.faces.sizes() == at::IntArrayRef({kBlock, kFaceNumbers});
        return whole ? std::optional(block) : std::nullopt;
    } catch (const EngineError&) {
        return std::nullopt;
    }
}

void write_block(const std::filesystem::path& file, const std::vector<LatentClip>& clips) {
    std::vector<at::Tensor> latents, areas, faces;
    for (const LatentClip& clip : clips) {
        latents.push_back(clip.latents);
        areas.push_back(clip.face_area);
        faces.push_back(numbers_of(clip.first_face));
    }
    save_tensors(file, {{"latents", at::stack(latents)}, {"face_area", at::stack(areas)}, {"faces", at::stack(faces)}});
}

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

std::string LatentSource::makes() const {
    std::ostringstream text;
    text << std::setprecision(17) << fingerprint << ' ' << vae->config().scaling_factor;
    return std::move(text).str();
}

LatentSource open_latent_source(const ModelStart& start, at::Device device) {
    return {std::make_shared<CogVideoXVae>(start.frozen("vae"), start.vae_config()), device, start.fingerprint("vae")};
}

LatentCache::LatentCache(LatentSource source, DrawnOptions options, people::Split split, std::uint64_t seed)
    : source_(std::move(source)),
      options_(std::move(options)),
      split_(split),
      seed_(seed),
      block_size_(options_.cache.empty() ? 1 : kBlock) {}

const LatentClip& LatentCache::clip(std::int64_t item, bool still) {
    const std::int64_t first = item / block_size_ * block_size_;
    return block(first, still)[static_cast<std::size_t>(item - first)];
}

const LatentCache::Block& LatentCache::block(std::int64_t first, bool still) {
    const auto key = std::pair(first, still);
    const auto found = blocks_.find(key);
    if (found != blocks_.end()) return found->second;
    if (options_.cache.empty()) return blocks_.emplace(key, make(first, 1, still)).first->second;
    const std::filesystem::path file = file_of(first, still);
    if (const auto stored = read_block(file)) {
        Block clips;
        for (std::int64_t i = 0; i < stored->latents.size(0); ++i)
            clips.push_back(
                {scene(first + i, still), stored->latents[i], stored->face_area[i], face_from(stored->faces[i])});
        return blocks_.emplace(key, std::move(clips)).first->second;
    }
    Block clips = make(first, block_size_, still);
    value_or_throw(make_folders(options_.cache));
    write_block(file, clips);
    return blocks_.emplace(key, std::move(clips)).first->second;
}

people::SceneRequest LatentCache::scene(std::int64_t item, bool still) const {
    return drawn_scene(options_, split_, still ? seed_ : ~seed_, item, still ? 1 : options_.frames);
}

LatentCache::Block LatentCache::make(std::int64_t first, std::int64_t count, bool still) const {
    const c10::NoGradGuard no_gradients;
    const VaeConfig& config = source_.vae->config();
    Block block;
    for (std::int64_t i = 0; i < count; ++i) {
        const DrawnClip clip = draw(scene(first + i, still));
        const at::Tensor mean = source_.vae->encode(to_signal(clip.pixels).unsqueeze(0).to(source_.device)).mean[0];
        LatentClip made{clip.scene, {}, {}, clip.faces.front().face};
        made.latents = (mean.permute({1, 0, 2, 3}) * config.scaling_factor).to(at::kCPU, at::kBFloat16).contiguous();
        made.face_area = face_area(clip.faces, mean.size(2), mean.size(3), config.spatial_compression(),
                                   config.temporal_compression_ratio);
        block.push_back(std::move(made));
    }
    return block;
}

// The name is a digest of all that decides what the clips are.
std::filesystem::path LatentCache::file_of(std::int64_t first, bool still) const {
    const people::SceneOptions& scenes = options_.scenes;
    std::ostringstream what;
    what << std::setprecision(17) << source_.makes() << ' ' << people::kDrawingVersion << ' '
         << static_cast<int>(split_) << ' ' << seed_ << ' ' << (still ? 1 : options_.frames) << ' ' << still << ' '
         << options_.width << 'x' << options_.height << ' ' << options_.people << ' '
         << static_cast<int>(scenes.combinations) << ' ' << scenes.other_style_share << ' '
         << scenes.moving_camera_share << (options_.pairs ? " pairs" : "");
    const std::string digest = formats::sha256_hex(what.str()).substr(0, 16);
    return options_.cache / (digest + "-" + std::to_string(first) + ".safetensors");
}

}  // namespace mirror::engine::training
