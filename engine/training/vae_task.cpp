#include "engine/training/vae_task.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/core/result.h"
#include "engine/training/diffusion_loss.h"
#include "engine/training/drawn_data.h"
#include "engine/training/linear_codec.h"
#include "engine/training/model_writer.h"
#include "engine/training/vae_start.h"
#include "engine/vae/cogvideox_vae.h"
#include "engine/weights/weight_store.h"

namespace mirror::engine::training {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStem = "diffusion_pytorch_model";
constexpr std::int64_t kStartPictures = 64;
constexpr std::int64_t kCodecPictures = 192;
constexpr std::int64_t kHeldOut = 32;
constexpr int kShown = 8;
constexpr int kClipFrames = 9;  // Of the clips that are scored: three latents.

struct Losses {
    static Losses read(const ConfigReader& file) {
        Losses losses;
        if (!file.has("losses")) return losses;
        const ConfigReader part = file.object("losses");
        part.refuse_unknown({"absolute", "squared", "gradient", "motion", "kl", "face"});
        losses.absolute = part.number_or("absolute", losses.absolute, 0.0, 1e3);
        losses.squared = part.number_or("squared", losses.squared, 0.0, 1e3);
        losses.gradient = part.number_or("gradient", losses.gradient, 0.0, 1e3);
        losses.motion = part.number_or("motion", losses.motion, 0.0, 1e3);
        losses.kl = part.number_or("kl", losses.kl, 0.0, 1e3);
        losses.face = part.number_or("face", losses.face, 0.0, 1e3);
        return losses;
    }

    double absolute = 1.0;
    double squared = 0.0;
    double gradient = 0.5;
    double motion = 0.0;  // Of what changes from one frame to the next.
    double kl = 3e-4;
    double face = 0.0;  // How much more an error inside the face counts.
};

VaeConfig read_model(const Recipe& recipe) {
    const ConfigReader part = recipe.file.object("model");
    part.refuse_unknown({"block_out_channels", "latent_channels", "layers_per_block", "norm_num_groups"});
    return VaeConfig::read(part);
}

std::string config_json(const VaeConfig& config, double scaling_factor) {
    const auto blocks = [&](const char* name) {
        return Json(std::vector<std::string>(config.block_out_channels.size(), name));
    };
    const Json json = {{"_class_name", "AutoencoderKLCogVideoX"},
                       {"_diffusers_version", "0.31.0"},
                       {"act_fn", "silu"},
                       {"block_out_channels", config.block_out_channels},
                       {"down_block_types", blocks("CogVideoXDownBlock3D")},
                       {"force_upcast", true},
                       {"in_channels", config.in_channels},
                       {"latent_channels", config.latent_channels},
                       {"latents_mean", nullptr},
                       {"latents_std", nullptr},
                       {"layers_per_block", config.layers_per_block},
                       {"norm_eps", config.norm_eps},
                       {"norm_num_groups", config.norm_num_groups},
                       {"out_channels", config.out_channels},
                       {"sample_height", config.sample_height},
                       {"sample_width", config.sample_width},
                       {"scaling_factor", scaling_factor},
                       {"shift_factor", nullptr},
                       {"temporal_compression_ratio", config.temporal_compression_ratio},
                       {"up_block_types", blocks("CogVideoXUpBlock3D")},
                       {"use_post_quant_conv", false},
                       {"use_quant_conv", false}};
    return json.dump(2) + "\n";
}

// Mean absolute difference of neighbouring pixels' steps, down and to the right: edges where edges are.
at::Tensor gradient_loss(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor difference = a - b;
    return at::diff(difference, 1, 3).abs().mean() + at::diff(difference, 1, 4).abs().mean();
}

// Mean absolute difference of neighbouring frames' steps: frames that share a latent must not become one another.
at::Tensor motion_loss(const at::Tensor& a, const at::Tensor& b) { return at::diff(a - b, 1, 2).abs().mean(); }

class VaeTask : public TrainingTask {
public:
    VaeTask(const Recipe& recipe, at::Device device)
        : device_(device),
          seed_(recipe.seed),
          data_(DrawnOptions::read(recipe.file.object("data"))),
          losses_(Losses::read(recipe.file)),
          config_(recipe.input.empty() ? read_model(recipe)
                                       : VaeConfig::read(ConfigReader::open(recipe.input / "vae" / "config.json"))) {
        config_.sample_height = data_.height;
        config_.sample_width = data_.width;
        store_ = std::make_shared<TrainableStore>(tensors_of<CogVideoXVae>(config_), first_weights(recipe), device);
        vae_ = std::make_unique<CogVideoXVae>(WeightScope(store_, {at::kFloat, device}), config_);
        prepare_held_out();
    }

    std::shared_ptr<TrainableStore> store() override { return store_; }
    BatchLoss loss_of(const BatchPlace& place) override;
    Frame picture() override;
    Measures evaluate() override;
    void write_model(const std::filesystem::path& folder, const TensorMap& named) override;

private:
    struct Batch {
        at::Tensor clips;    // [B, 3, T, H, W]
        at::Tensor weights;  // [B, 1, T, H, W]; undefined if all errors count the same.
    };

    Initializer first_weights(const Recipe& recipe) const {
        if (!recipe.input.empty()) return values_from(WeightStore::open(recipe.input / "vae", kStem));
        return linear_vae_start(config_, stills(people::Split::Train, kStartPictures), seed_);
    }

    // Whole pictures [N, 3, H, W] that the run does not otherwise use.
    at::Tensor stills(people::Split split, std::int64_t count) const {
        std::vector<at::Tensor> pictures;
        for (std::int64_t i = 0; i < count; ++i)
            pictures.push_back(to_signal(draw(drawn_scene(data_, split, ~seed_, i, 1)).pixels).squeeze(1));
        return at::stack(pictures);
    }

    void prepare_held_out() {
        const LinearCodec codec(stills(people::Split::Train, kCodecPictures), config_.spatial_compression(),
                                config_.latent_channels);
        held_out_ = stills(people::Split::Validation, kHeldOut);
        linear_ = codec.through(held_out_);
        linear_psnr_ = psnr(held_out_, linear_);
        if (data_.frames == 1) return;
        std::vector<at::Tensor> clips;
        for (std::int64_t i = 0; i < kHeldOut / 8; ++i)
            clips.push_back(to_signal(
                draw(drawn_scene(data_, people::Split::Validation, ~seed_, kHeldOut + i, kClipFrames)).pixels));
        held_out_clips_ = at::stack(clips);
    }

    Batch batch_of(const BatchPlace& place) const;
    at::Tensor face_weights(const DrawnClip& clip) const;
    at::Tensor through(const at::Tensor& clips) const {
        return vae_->decode(vae_->encode(clips.to(device_)).mean).to(at::kCPU);
    }
    // One frame each: [N, 3, H, W] through the autoencoder.
    at::Tensor stills_through(const at::Tensor& pictures) const {
        std::vector<at::Tensor> results;
        for (const at::Tensor& some : pictures.split(8)) results.push_back(through(some.unsqueeze(2)).squeeze(2));
        return at::cat(results);
    }

    at::Device device_;
    std::uint64_t seed_;
    DrawnOptions data_;
    Losses losses_;
    VaeConfig config_;
    std::shared_ptr<TrainableStore> store_;
    std::unique_ptr<CogVideoXVae> vae_;
    at::Tensor held_out_, held_out_clips_, linear_;
    double linear_psnr_ = 0;
};

// 1 outside the face, 1 + face inside the box, in every frame.
at::Tensor VaeTask::face_weights(const DrawnClip& clip) const {
    const std::int64_t frames = clip.pixels.size(1), height = clip.pixels.size(2), width = clip.pixels.size(3);
    at::Tensor weights = at::ones({1, frames, height, width});
    for (std::int64_t t = 0; t < frames; ++t) {
        const FaceBox& face = clip.faces[static_cast<std::size_t>(t)].face;
        const auto left = std::clamp<std::int64_t>(std::lround(face.x0), 0, width);
        const auto right = std::clamp<std::int64_t>(std::lround(face.x1), left, width);
        const auto top = std::clamp<std::int64_t>(std::lround(face.y0), 0, height);
        const auto bottom = std::clamp<std::int64_t>(std::lround(face.y1), top, height);
        weights.select(1, t).narrow(1, top, bottom - top).narrow(2, left, right - left).add_(losses_.face);
    }
    return weights;
}

VaeTask::Batch VaeTask::batch_of(const BatchPlace& place) const {
    RandomStream shape(place.seed, Purpose::Dropout, static_cast<std::uint64_t>(place.first_sample));
    const int frames = shape.chance(data_.still_share) ? 1 : data_.frames;
    std::vector<at::Tensor> clips, weights;
    for (std::int64_t i = 0; i < place.count; ++i) {
        const std::int64_t sample = place.sample(i);
        DrawnClip clip = draw(drawn_scene(data_, people::Split::Train, place.seed, sample, frames));
        at::Tensor weight = losses_.face > 0 ? face_weights(clip) : at::Tensor();
        if (data_.crop > 0) {
            RandomStream random(place.seed, Purpose::Augment, static_cast<std::uint64_t>(sample));
            std::int64_t x = random.below(data_.width - data_.crop + 1),
                         y = random.below(data_.height - data_.crop + 1);
            if (random.chance(data_.face_crops)) {
                const FaceBox& face = clip.faces.front().face;
                const double jitter = 0.15 * data_.crop;
                const auto corner = [&](double centre, int size) {
                    const double begin = centre - data_.crop / 2.0 + random.uniform(-jitter, jitter);
                    return std::clamp<std::int64_t>(std::lround(begin), 0, size - data_.crop);
                };
                x = corner((face.x0 + face.x1) / 2, data_.width);
                y = corner((face.y0 + face.y1) / 2, data_.height);
            }
            clip.pixels = clip.pixels.narrow(2, y, data_.crop).narrow(3, x, data_.crop);
            if (weight.defined()) weight = weight.narrow(2, y, data_.crop).narrow(3, x, data_.crop);
        }
        clips.push_back(to_signal(clip.pixels));
        if (weight.defined()) weights.push_back(weight);
    }
    return {at::stack(clips).to(device_), weights.empty() ? at::Tensor() : at::stack(weights).to(device_)};
}

BatchLoss VaeTask::loss_of(const BatchPlace& place) {
    const Batch batch = batch_of(place);
    const Posterior posterior = vae_->encode(batch.clips);
    RandomStream random(place.seed, Purpose::Noise, static_cast<std::uint64_t>(place.first_sample));
    const at::Tensor noise = noise_for(place, posterior.mean, random).to(device_);
    const at::Tensor result = vae_->decode(posterior.sample(noise)).to(at::kFloat);
    const at::Tensor error = result - batch.clips;
    const auto mean = [&](const at::Tensor& x) {
        if (!batch.weights.defined()) return x.mean();
        const auto each = [](const at::Tensor& all) { return all.mean({1, 2, 3, 4}); };
        return (each(x * batch.weights) / each(batch.weights)).mean();
    };
    const at::Tensor absolute = mean(error.abs());
    const at::Tensor gradient = gradient_loss(result, batch.clips);
    const at::Tensor logvar = posterior.logvar.to(at::kFloat);
    const at::Tensor kl = 0.5 * (posterior.mean.to(at::kFloat).square() + logvar.exp() - 1.0 - logvar).mean();
    at::Tensor loss = losses_.absolute * absolute + losses_.gradient * gradient + losses_.kl * kl;
    if (losses_.motion > 0 && result.size(2) > 1) loss = loss + losses_.motion * motion_loss(result, batch.clips);
    if (losses_.squared > 0) loss = loss + losses_.squared * mean(error.square());
    const double noise_ratio = 10.0 * std::log10(4.0 / std::max(error.detach().square().mean().item<double>(), 1e-12));
    return {loss,
            {{"absolute", absolute.item<double>()},
             {"gradient", gradient.item<double>()},
             {"kl", kl.item<double>()},
             {"psnr", noise_ratio}}};
}

Frame VaeTask::picture() {
    const at::Tensor results = stills_through(held_out_.narrow(0, 0, kShown));
    std::vector<at::Tensor> cells;
    for (int i = 0; i < kShown; ++i) cells.push_back(held_out_[i]);
    for (int i = 0; i < kShown; ++i) cells.push_back(results[i]);
    for (int i = 0; i < kShown; ++i) cells.push_back(linear_[i]);
    if (held_out_clips_.defined()) {
        const at::Tensor clip = held_out_clips_[0], made = through(held_out_clips_.narrow(0, 0, 1))[0];
        for (int i = 0; i < kShown; ++i) cells.push_back(clip.select(1, i));
        for (int i = 0; i < kShown; ++i) cells.push_back(made.select(1, i));
    }
    return picture_grid(cells, kShown);
}

Measures VaeTask::evaluate() {
    Measures measures = {{"held_out_psnr", psnr(held_out_, stills_through(held_out_))},
                         {"linear_codec_psnr", linear_psnr_}};
    if (held_out_clips_.defined())
        measures.emplace_back("held_out_clip_psnr", psnr(held_out_clips_, through(held_out_clips_)));
    return measures;
}

void VaeTask::write_model(const std::filesystem::path& folder, const TensorMap& named) {
    // The latents of a model have unit variance on average.
    std::vector<at::Tensor> latents;
    for (const at::Tensor& some : held_out_.split(8))
        latents.push_back(vae_->encode(some.unsqueeze(2).to(device_)).mean);
    const double deviation = at::cat(latents).square().mean().sqrt().item<double>();
    TensorMap tensors;
    for (const auto& [name, tensor] : named) tensors[name] = tensor.to(at::kBFloat16);
    write_weights(folder / "vae", kStem, tensors);
    write_text(folder / "vae" / "config.json", config_json(config_, 1.0 / std::max(deviation, 1e-3)));
}

}  // namespace

void check_vae_recipe(const Recipe& recipe) {
    DrawnOptions::read(recipe.file.object("data"));
    Losses::read(recipe.file);
    if (recipe.input.empty())
        read_model(recipe);
    else if (recipe.file.has("model"))
        recipe.file.refuse("model", "is said by the input");
}

std::unique_ptr<TrainingTask> make_vae_task(const Recipe& recipe, at::Device device) {
    return std::make_unique<VaeTask>(recipe, device);
}

}  // namespace mirror::engine::training
