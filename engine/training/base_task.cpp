#include "engine/training/base_task.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/core/result.h"
#include "engine/training/caption_meaning.h"
#include "engine/training/captions.h"
#include "engine/training/diffusion_loss.h"
#include "engine/training/diffusion_sets.h"
#include "engine/training/first_weights.h"
#include "engine/training/material_options.h"
#include "engine/training/model_start.h"
#include "engine/training/model_writer.h"
#include "engine/training/sampled_clips.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kHeldOut = 32;
constexpr int kShown = 8;
constexpr int kWordings = 4;              // Captions of a scene whose tokens must tell what it is.
constexpr std::int64_t kScoredTimes = 4;  // Timesteps that every held-out clip is scored at.

struct BaseSettings {
    static BaseSettings read(const ConfigReader& file) {
        BaseSettings settings;
        const ConfigReader losses = file.object("losses");
        losses.refuse_unknown({"text_dropout", "face_share", "pair", "noisy_share", "meaning"});
        settings.text_dropout = losses.number_or("text_dropout", settings.text_dropout, 0.0, 1.0);
        settings.face_share = losses.number_or("face_share", settings.face_share, 0.0, 1.0);
        settings.noisy_share = losses.number_or("noisy_share", settings.noisy_share, 0.01, 0.99);
        settings.meaning = losses.number_or("meaning", settings.meaning, 0.0, 1e3);
        settings.pair = losses.number_or("pair", settings.pair, 0.0, 1e3);
        return settings;
    }

    double text_dropout = 0.1;
    double face_share = 0.0;  // Of the samples: the loss sees the face alone.
    double noisy_share = NoiseTable::kNoisyPart;
    double meaning = 0.0;  // What the tokens of the captions must tell.
    double pair = 0.0;     // How much the difference within a pair counts.
};

// Both models on one source of weights, the names beginning with the part.
struct BaseModels {
    BaseModels(const WeightScope& weights, const T5Config& text_config, const cogvideox::TransformerConfig& config)
        : text_encoder(weights / "text_encoder", text_config),
          transformer(weights / "transformer", config),
          meaning(weights / "meaning", text_config.d_model) {}

    T5Encoder text_encoder;
    cogvideox::Transformer transformer;
    CaptionMeaning meaning;
};

class BaseTask : public TrainingTask {
public:
    BaseTask(const Recipe& recipe, at::Device device, const TaskPorts& ports)
        : start_(recipe, device),
          device_(device),
          settings_(BaseSettings::read(recipe.file)),
          text_config_(T5Config::read(start_.config("text_encoder"))),
          config_(cogvideox::read_transformer_config(start_.config("transformer"))),
          tokenizer_(start_.tokenizer()),
          schedule_(start_.schedule()),
          table_(schedule_),
          latents_(open_latent_source(start_, device)),
          data_(
              open_diffusion_sets(recipe, latents_, nullptr, 0, start_.adapter_config().switches.trigger_word, ports)),
          recompute_(recipe.checkpoint) {
        const auto recorder = std::make_shared<ShapeRecorder>();
        const BaseModels shapes(WeightScope(recorder, {}), text_config_, config_);
        store_ = std::make_shared<TrainableStore>(recorder->entries(), first_weights(recipe.seed), device);
        models_ = std::make_unique<BaseModels>(WeightScope(store_, {at::kFloat, device}), text_config_, config_);
    }

    std::shared_ptr<TrainableStore> store() override { return store_; }
    BatchLoss loss_of(const BatchPlace& place) override;
    Frame picture() override;
    Measures evaluate() override;
    void write_model(const std::filesystem::path& folder, const TensorMap& named) override;

private:
    struct Batch {
        at::Tensor latents;    // [B, F, Z, h, w]
        at::Tensor face_area;  // [B, F, 1, h, w]
        std::vector<std::string> captions;
        std::vector<std::string> wordings;         // More captions of the same scenes.
        std::vector<people::SceneRequest> scenes;  // Of the wordings.
    };

    Initializer first_weights(std::uint64_t seed) const {
        return joined_start({{"text_encoder", start_.values("text_encoder", text_encoder_start(text_config_, seed))},
                             {"transformer", start_.values("transformer", transformer_start(seed))},
                             {"meaning", general_start(seed)}});
    }

    at::Tensor ids_of(const std::vector<std::string>& texts) const {
        return token_rows(tokenizer_, texts, config_.max_text_seq_length).to(device_);
    }
    at::Tensor encoded(const std::vector<std::string>& texts) const { return models_->text_encoder(ids_of(texts)); }
    const cogvideox::Positions& positions(const at::Tensor& latents) {
        const cogvideox::LatentGrid grid{latents.size(1), latents.size(3), latents.size(4)};
        const auto found = positions_.find(grid.frames);
        if (found != positions_.end()) return found->second;
        return positions_.emplace(grid.frames, models_->transformer.positions(grid)).first->second;
    }
    at::Tensor velocity(const at::Tensor& latents, const at::Tensor& text, const at::Tensor& timesteps) {
        cogvideox::TransformerInput input;
        input.hidden_states = latents;
        input.encoder_hidden_states = text;
        input.timestep = timesteps;
        input.positions = &positions(latents);
        input.recompute = recompute_;
        return models_->transformer.forward(input);
    }
    Batch batch_of(const BatchPlace& place);
    std::vector<at::Tensor> sample_pictures(const std::vector<std::string>& captions, std::int64_t frames,
                                            std::int64_t position);

    ModelStart start_;
    at::Device device_;
    BaseSettings settings_;
    T5Config text_config_;
    cogvideox::TransformerConfig config_;
    Tokenizer tokenizer_;
    ScheduleConfig schedule_;
    NoiseTable table_;
    LatentSource latents_;
    DiffusionSets data_;
    bool recompute_;
    std::shared_ptr<TrainableStore> store_;
    std::unique_ptr<BaseModels> models_;
    std::map<std::int64_t, cogvideox::Positions> positions_;  // By the number of latent frames.
};

BaseTask::Batch BaseTask::batch_of(const BatchPlace& place) {
    RandomStream shape(place.seed, Purpose::Dropout, static_cast<std::uint64_t>(place.first_sample));
    const bool still = data_.is_still(shape.uniform());
    std::vector<at::Tensor> latents, areas;
    Batch batch;
    const bool pairs = settings_.pair > 0;
    for (std::int64_t i = 0; i < place.count; ++i) {
        // The two samples of a pair are chosen, dropped and worded alike.
        const std::int64_t sample = pairs ? place.sample(i) / 2 : place.sample(i);
        RandomStream random(place.seed, Purpose::Sample, static_cast<std::uint64_t>(sample));
        const std::int64_t items = data_.train->items(still);
        const std::int64_t item = pairs ? 2 * random.below(items / 2) + place.sample(i) % 2 : random.below(items);
        const LatentClip& clip = data_.train->clip(item, still);
        latents.push_back(clip.latents);
        areas.push_back(clip.face_area);
        const bool dropped = random.chance(settings_.text_dropout);
        batch.captions.push_back(dropped ? std::string()
                                         : data_.train->caption(item, still, random.bits(), CaptionFor::Base));
        for (int k = 0; k < (settings_.meaning > 0 ? kWordings : 0); ++k) {
            batch.wordings.push_back(data_.train->caption(item, still, random.bits(), CaptionFor::Base));
            batch.scenes.push_back(clip.scene);
        }
    }
    batch.latents = at::stack(latents).to(device_, at::kFloat);
    batch.face_area = at::stack(areas).to(device_);
    return batch;
}

BatchLoss BaseTask::loss_of(const BatchPlace& place) {
    const Batch batch = batch_of(place);
    RandomStream random(place.seed, Purpose::Noise, static_cast<std::uint64_t>(place.first_sample));
    const std::int64_t alike = settings_.pair > 0 ? 2 : 1;  // Samples with the same noise, time and face.
    const at::Tensor noise = noise_for(place, batch.latents, random, alike).to(device_);
    const std::vector<std::int64_t> times = table_.spread_timesteps(random, place.size / alike, settings_.noisy_share);
    std::vector<bool> inside;
    for (std::int64_t i = 0; i < place.size / alike; ++i) {
        const bool face_alone = random.chance(settings_.face_share);
        for (std::int64_t k = 0; k < alike; ++k)
            if (place.has(alike * i + k)) inside.push_back(face_alone);
    }
    const at::Tensor timesteps = place.part_of(at::tensor(times, at::kLong).repeat_interleave(alike)).to(device_);
    const NoisedLatents noised = table_.noised(batch.latents, noise, timesteps);
    const at::Tensor answer = velocity(noised.latents, encoded(batch.captions), timesteps);
    const at::Tensor losses = velocity_loss(answer, noised.velocity, batch.face_area, inside);
    BatchLoss result{losses.mean(), {}};
    if (settings_.pair > 0) {
        const at::Tensor pair = pair_loss(answer, noised.velocity, noised.alpha);
        result.loss = result.loss + settings_.pair * pair;
        result.measures.emplace_back("pair", pair.item<double>());
    }
    if (settings_.meaning > 0) {
        const at::Tensor ids = ids_of(batch.wordings);
        const at::Tensor meaning = models_->meaning.loss(models_->text_encoder(ids), ids, batch.scenes);
        result.loss = result.loss + settings_.meaning * meaning;
        result.measures.emplace_back("meaning", meaning.item<double>());
    }
    if (!result.measures.empty()) result.measures.emplace_back("velocity", losses.mean().item<double>());
    return result;
}

// The same loss on people and texts that were never seen, at fixed times and with fixed noise.
Measures BaseTask::evaluate() {
    const bool still = data_.frames == 1;
    const std::int64_t count = std::min(kHeldOut, data_.held_out->items(still));
    if (count == 0) return {};
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        RandomStream random(7, Purpose::Grid, static_cast<std::uint64_t>(i));
        const std::string text = data_.held_out->caption(i, still, static_cast<std::uint64_t>(i), CaptionFor::Base);
        const at::Tensor x0 = data_.held_out->clip(i, still).latents.unsqueeze(0).to(device_, at::kFloat);
        const at::Tensor encoded_text = encoded({text});
        for (std::int64_t k = 0; k < kScoredTimes; ++k) {
            const at::Tensor time =
                at::tensor({(2 * k + 1) * table_.timesteps() / (2 * kScoredTimes)}, at::kLong).to(device_);
            const NoisedLatents noised = table_.noised(x0, random.normal(x0.sizes()).to(device_), time);
            const at::Tensor answer = velocity(noised.latents, encoded_text, time).to(at::kFloat);
            sum += (answer - noised.velocity).square().mean().item<double>();
        }
    }
    return {{"held_out_loss", sum / static_cast<double>(count * kScoredTimes)}};
}

// A clip for each caption; its first, middle and last frame, or the picture.
std::vector<at::Tensor> BaseTask::sample_pictures(const std::vector<std::string>& captions, std::int64_t frames,
                                                  std::int64_t position) {
    const VaeConfig& vae = latents_.vae->config();
    const auto count = static_cast<std::int64_t>(captions.size());
    RandomStream random(11, Purpose::Grid, static_cast<std::uint64_t>(position));
    const std::int64_t cell = vae.spatial_compression();
    const at::Tensor noise =
        random.normal({count, frames, vae.latent_channels, data_.height / cell, data_.width / cell});
    std::vector<std::string> texts(captions.size());
    texts.insert(texts.end(), captions.begin(), captions.end());
    const at::Tensor text = encoded(texts);
    const auto predict = [&](const DenoiseStep& step, const at::Tensor& now) {
        const at::Tensor times = at::full({2 * count}, step.timestep, at::kLong).to(device_);
        return velocity(at::cat({now, now}), text, times).to(at::kFloat);
    };
    const at::Tensor made = sampled_clips(*latents_.vae, schedule_, noise.to(device_), predict);
    std::vector<at::Tensor> pictures;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t last = made.size(2) - 1;
        pictures.push_back(made[i].select(1, 0));
        if (last == 0) continue;
        pictures.push_back(made[i].select(1, last / 2));
        pictures.push_back(made[i].select(1, last));
    }
    return pictures;
}

// Real stills above samples of the same captions; then clips in time.
Frame BaseTask::picture() {
    std::vector<at::Tensor> cells;
    std::vector<std::string> captions;
    DiffusionData& shown = data_.held_out->items(true) > 0 ? *data_.held_out : *data_.train;
    for (int i = 0; i < kShown; ++i) {
        const std::int64_t item = i % shown.items(true);
        captions.push_back(shown.caption(item, true, static_cast<std::uint64_t>(i), CaptionFor::Base));
        cells.push_back(shown.picture(item, true));
    }
    for (const at::Tensor& picture : sample_pictures(captions, 1, 0)) cells.push_back(picture);
    if (data_.frames > 1) {
        const std::int64_t frames = (data_.frames - 1) / config_.temporal_compression_ratio + 1;
        const std::vector<std::string> few(captions.begin(), captions.begin() + 4);
        for (const at::Tensor& picture : sample_pictures(few, frames, 1)) cells.push_back(picture);
    }
    return picture_grid(cells, kShown);
}

void BaseTask::write_model(const std::filesystem::path& folder, const TensorMap& named) {
    start_.write_texts(folder, {"transformer", "text_encoder", "tokenizer", "scheduler"});
    std::map<std::string, TensorMap> parts;
    for (const auto& [name, tensor] : named) {
        const std::size_t dot = name.find('.');
        parts[name.substr(0, dot)][name.substr(dot + 1)] = tensor.to(at::kBFloat16);
    }
    write_weights(folder / "transformer", "diffusion_pytorch_model", parts.at("transformer"));
    write_weights(folder / "text_encoder", "model", parts.at("text_encoder"));
    write_text(folder / "model_index.json", start_.model_index());
}

}  // namespace

void check_base_recipe(const Recipe& recipe) {
    ModelStart::check(recipe, ModelStart::Switches::Taken);
    const ConfigReader data = recipe.file.object("data");
    check_diffusion_data(data);
    const BaseSettings settings = BaseSettings::read(recipe.file);
    if (settings.meaning > 0 && MaterialOptions::is_meant(data))
        recipe.file.object("losses").refuse("meaning", "is for drawn people");
    if (settings.pair == 0) return;
    if (!data.boolean_or("pairs", false)) recipe.file.object("losses").refuse("pair", "needs data with pairs");
    for (const auto& [key, value] : {std::pair("samples", recipe.samples), std::pair("batch", recipe.batch),
                                     std::pair("micro_batch", recipe.micro_batch)})
        if (value % 2 != 0) recipe.file.refuse(key, "must be even with pairs");
}

std::unique_ptr<TrainingTask> make_base_task(const Recipe& recipe, at::Device device, const TaskPorts& ports) {
    return std::make_unique<BaseTask>(recipe, device, ports);
}

}  // namespace mirror::engine::training
