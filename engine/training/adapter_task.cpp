#include "engine/training/adapter_task.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/core/result.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/identity/magic_mirror/trigger.h"
#include "engine/training/adapter_start.h"
#include "engine/training/captions.h"
#include "engine/training/diffusion_loss.h"
#include "engine/training/diffusion_sets.h"
#include "engine/training/material_options.h"
#include "engine/training/model_start.h"
#include "engine/training/model_writer.h"
#include "engine/training/reference_encoder.h"
#include "engine/training/sampled_clips.h"

namespace mirror::engine::training {

namespace {

namespace mm = magic_mirror;

constexpr int kShown = 8;
constexpr double kLeastAlpha = 0.5;  // Below it the estimate of the clip shows no face worth comparing.
constexpr std::int64_t kHeldOut = 32;
constexpr std::int64_t kScoredAtOnce = 8;

struct AdapterSettings {
    static AdapterSettings read(const ConfigReader& file) {
        AdapterSettings settings;
        const ConfigReader part = file.object("losses");
        part.refuse_unknown({"face_share", "drop_text", "drop_face", "drop_both", "identity", "identity_share",
                             "identity_warmup", "references", "references_at_once"});
        const auto share = [&](const char* key, double fallback) { return part.number_or(key, fallback, 0.0, 1.0); };
        settings.face_share = share("face_share", settings.face_share);
        settings.drop_text = share("drop_text", settings.drop_text);
        settings.drop_face = share("drop_face", settings.drop_face);
        settings.drop_both = share("drop_both", settings.drop_both);
        if (settings.drop_text + settings.drop_face + settings.drop_both > 1.0 + 1e-9)
            part.refuse("drop_both", "is more than 1 together with drop_text and drop_face");
        settings.identity = part.number_or("identity", settings.identity, 0.0, 100.0);
        settings.identity_share = share("identity_share", settings.identity_share);
        settings.identity_warmup = part.integer_or("identity_warmup", 0, 0, 1'000'000'000);
        const ConfigReader data = file.object("data");
        if (!MaterialOptions::is_meant(data)) {
            settings.references = part.integer_or("references", settings.references, 1, 1000);
        } else {
            if (part.has("references"))
                part.refuse("references", "is for drawn people; data.references says it of one's own files");
            settings.references = MaterialOptions::read(data).references;
        }
        settings.references_at_once =
            part.integer_or("references_at_once", settings.references_at_once, 1, settings.references);
        return settings;
    }

    double face_share = 0.5;  // Of the samples: the loss sees the face alone.
    double drop_text = 0.1, drop_face = 0.1, drop_both = 0.05;
    double identity = 0.0;                // Weight of the identity loss; 0: none.
    double identity_share = 1.0;          // Of the samples that are late enough.
    std::int64_t identity_warmup = 0;     // Samples over which the weight grows.
    std::int64_t references = 4;          // Different portraits of each person.
    std::int64_t references_at_once = 1;  // Of them in one sample; each batch has as many as chance says, from 1 on.
};

// What a sample is conditioned on.
struct Conditions {
    bool text = true;
    bool face = true;
};

class AdapterTask : public TrainingTask {
public:
    AdapterTask(const Recipe& recipe, at::Device device, const TaskPorts& ports)
        : start_(recipe, device),
          device_(device),
          settings_(AdapterSettings::read(recipe.file)),
          config_(start_.adapter_config()),
          tokenizer_(start_.tokenizer()),
          schedule_(start_.schedule()),
          table_(schedule_),
          latents_(open_latent_source(start_, device)),
          frozen_dtype_(recipe.bf16 ? at::kBFloat16 : at::kFloat),
          text_encoder_(start_.frozen("text_encoder", frozen_dtype_), T5Config::read(start_.config("text_encoder"))),
          transformer_(start_.frozen("transformer", frozen_dtype_),
                       cogvideox::read_transformer_config(start_.config("transformer"))),
          encoder_(start_, device, frozen_dtype_),
          data_(open_diffusion_sets(recipe, latents_, &encoder_, settings_.references, config_.switches.trigger_word,
                                    ports)),
          recompute_(recipe.checkpoint) {
        mm::check_base_model(config_, transformer_.config());
        const Initializer fresh = adapter_start(config_, transformer_, recipe.seed);
        const Initializer initial =
            start_.has("adapter") ? values_from(WeightStore::open(recipe.input / "adapter", "adapter")) : fresh;
        store_ = std::make_shared<TrainableStore>(mm::adapter_tensors(config_), initial, device);
        adapter_ = std::make_unique<mm::Adapter>(WeightScope(store_, {at::kFloat, device}), config_);
    }

    std::shared_ptr<TrainableStore> store() override { return store_; }
    BatchLoss loss_of(const BatchPlace& place) override;
    Frame picture() override;
    Measures evaluate() override;
    void write_model(const std::filesystem::path& folder, const TensorMap& named) override;

private:
    struct Batch {
        Batch only(const std::vector<std::int64_t>& rows) const {
            Batch part;
            for (const std::int64_t row : rows) {
                const auto i = static_cast<std::size_t>(row);
                part.clips.push_back(clips[i]);
                part.references.push_back(references[i]);
                part.captions.push_back(captions[i]);
                part.conditions.push_back(conditions[i]);
            }
            return part;
        }

        // How many references each sample has: one row of faces must be as long as the next.
        std::int64_t at_once() const { return static_cast<std::int64_t>(references.front().size()); }

        std::vector<const LatentClip*> clips;
        std::vector<std::vector<const ReferenceFeatures*>> references;
        std::vector<std::string> captions;  // With the trigger.
        std::vector<Conditions> conditions;
    };

    Batch batch_of(const BatchPlace& place);
    at::Tensor fused_text(const Batch& batch) const;
    mm::Conditioning conditioning(const Batch& batch) const;
    at::Tensor velocity(const at::Tensor& latents, const at::Tensor& text, const at::Tensor& timesteps,
                        const Batch& batch);
    at::Tensor identity_loss(const Batch& batch, const NoisedLatents& noised, const at::Tensor& answer,
                             const std::vector<bool>& chosen) const;
    std::vector<at::Tensor> sample_pictures(const Batch& batch);
    Batch held_out_batch(std::int64_t first, std::int64_t count);
    at::Tensor likeness(const at::Tensor& picture, const FaceBox& face, const at::Tensor& embedding) const;
    at::Tensor first_frame(const at::Tensor& latents) const;
    // As large as the samples, to stand above them.
    at::Tensor resized(const at::Tensor& picture) const {
        return at::_upsample_bilinear2d_aa(picture.unsqueeze(0), {data_.height, data_.width}, false)[0];
    }
    double identity_weight(std::int64_t samples) const {
        const auto whole = static_cast<double>(std::max<std::int64_t>(settings_.identity_warmup, 1));
        return settings_.identity *
               (settings_.identity_warmup == 0 ? 1.0 : std::min(1.0, static_cast<double>(samples) / whole));
    }

    ModelStart start_;
    at::Device device_;
    AdapterSettings settings_;
    mm::AdapterConfig config_;
    Tokenizer tokenizer_;
    ScheduleConfig schedule_;
    NoiseTable table_;
    LatentSource latents_;
    at::ScalarType frozen_dtype_;
    T5Encoder text_encoder_;
    cogvideox::Transformer transformer_;
    ReferenceEncoder encoder_;
    DiffusionSets data_;
    bool recompute_;
    // Of the newest velocity: its blocks may be run again when the gradient comes by.
    std::unique_ptr<mm::MagicMirrorHook> hook_;
    std::shared_ptr<TrainableStore> store_;
    std::unique_ptr<mm::Adapter> adapter_;
};

// Of one sample's references: [N, K, c].
at::Tensor id_embeds(const std::vector<const ReferenceFeatures*>& references) {
    std::vector<at::Tensor> each;
    for (const ReferenceFeatures* reference : references) each.push_back(reference->id_embeds);
    return at::stack(each).to(at::kFloat);
}

// The mean direction of the references' embeddings.
at::Tensor embedding(const std::vector<const ReferenceFeatures*>& references) {
    at::Tensor sum = at::zeros_like(references.front()->embedding);
    for (const ReferenceFeatures* reference : references)
        sum += reference->embedding / reference->embedding.norm().clamp_min(1e-6);
    return sum;
}

at::Tensor latents_of(const std::vector<const LatentClip*>& clips, at::Device device) {
    std::vector<at::Tensor> rows;
    for (const LatentClip* clip : clips) rows.push_back(clip->latents);
    return at::stack(rows).to(device, at::kFloat);
}

AdapterTask::Batch AdapterTask::batch_of(const BatchPlace& place) {
    RandomStream shape(place.seed, Purpose::Dropout, static_cast<std::uint64_t>(place.first_sample));
    const bool still = data_.is_still(shape.uniform());
    const std::int64_t at_once = 1 + shape.below(settings_.references_at_once);
    DiffusionData& from = *data_.train;
    Batch batch;
    for (std::int64_t i = 0; i < place.count; ++i) {
        RandomStream random(place.seed, Purpose::Sample, static_cast<std::uint64_t>(place.sample(i)));
        const std::int64_t item = random.below(from.items(still));
        batch.clips.push_back(&from.clip(item, still));
        batch.references.emplace_back();
        for (std::int64_t k = 0; k < at_once; ++k)
            batch.references.back().push_back(&from.reference(item, still, random));
        batch.captions.push_back(from.caption(item, still, random.bits(), CaptionFor::Adapter));
        const double dropped = random.uniform();
        Conditions conditions;
        const double only_text = settings_.drop_text, only_face = only_text + settings_.drop_face;
        conditions.text = !(dropped < only_text || (dropped >= only_face && dropped < only_face + settings_.drop_both));
        conditions.face = !(dropped >= only_text && dropped < only_face + settings_.drop_both);
        batch.conditions.push_back(conditions);
    }
    return batch;
}

// Prompts with the identity written into them, [B, L, e]. Without a face the plain prompt, without text an empty one.
at::Tensor AdapterTask::fused_text(const Batch& batch) const {
    const bool mean = config_.switches.multi_ref_text == mm::MultiRefText::Mean;
    const std::int64_t length = config_.dit.max_text_seq_length;
    const std::int64_t copies = config_.perceiver_id.tokens * (mean ? 1 : batch.at_once());
    std::vector<at::Tensor> ids, masks, identities;
    for (std::size_t i = 0; i < batch.captions.size(); ++i) {
        const Conditions& conditions = batch.conditions[i];
        const mm::IdentityPrompt prompt =
            mm::tokenize_identity_prompt(tokenizer_, conditions.text ? batch.captions[i] : std::string(),
                                         config_.switches.trigger_word, copies, length);
        const bool fuses = conditions.face && prompt.identity_mask.sum().item<std::int64_t>() == copies;
        ids.push_back(fuses ? prompt.input_ids : prompt.plain_input_ids);
        masks.push_back(fuses ? prompt.identity_mask : at::zeros_like(prompt.identity_mask));
        if (!fuses) continue;
        const at::Tensor known = id_embeds(batch.references[i]);
        identities.push_back(mean ? known.mean(0) : known.flatten(0, 1));
    }
    at::Tensor text;
    {
        const c10::NoGradGuard no_gradients;
        text = text_encoder_(at::cat(ids).to(device_)).to(at::kFloat);
    }
    if (identities.empty() || !config_.switches.text_fuse) return text;
    const at::Tensor rows = at::cat(masks).flatten().nonzero().flatten().to(device_);
    const at::Tensor flat = text.flatten(0, 1);
    const at::Tensor fused =
        adapter_->fuse.fuse(flat.index_select(0, rows), at::cat(identities).to(device_, at::kFloat));
    return flat.index_copy(0, rows, fused.to(at::kFloat)).view_as(text);
}

// Of the samples that have a face, in order.
mm::Conditioning AdapterTask::conditioning(const Batch& batch) const {
    std::vector<at::Tensor> faces, identities;
    for (std::size_t i = 0; i < batch.references.size(); ++i) {
        if (!batch.conditions[i].face) continue;
        for (const ReferenceFeatures* reference : batch.references[i]) faces.push_back(reference->face_tokens);
        identities.push_back(id_embeds(batch.references[i]).mean(0));
    }
    mm::Conditioning conditioning;
    if (faces.empty()) return conditioning;
    const auto count = static_cast<std::int64_t>(identities.size());
    if (mm::needs_face_tokens(config_.switches)) {
        // One row of faces for each sample.
        const at::Tensor each = adapter_->perceiver_face.each(at::stack(faces).to(device_, at::kFloat));
        const at::Tensor tokens = each.view({count, batch.at_once(), each.size(1), each.size(2)});
        const bool mean = config_.switches.multi_ref_face == mm::MultiRefFace::Mean;
        conditioning.face_tokens = mean ? tokens.mean(1) : tokens.flatten(1, 2);
    }
    if (config_.switches.can)
        conditioning.id_vector =
            adapter_->cross_modal.id_proj.proj(at::stack(identities).flatten(1).to(device_, at::kFloat));
    return conditioning;
}

at::Tensor AdapterTask::velocity(const at::Tensor& latents, const at::Tensor& text, const at::Tensor& timesteps,
                                 const Batch& batch) {
    const cogvideox::Positions positions = transformer_.positions({latents.size(1), latents.size(3), latents.size(4)});
    cogvideox::TransformerInput input;
    input.hidden_states = latents;
    input.encoder_hidden_states = text;
    input.timestep = timesteps;
    input.positions = &positions;
    input.recompute = recompute_;
    std::vector<std::int64_t> mask;
    for (const Conditions& conditions : batch.conditions) mask.push_back(conditions.face ? 1 : 0);
    hook_ = std::make_unique<mm::MagicMirrorHook>(adapter_->cross_modal, conditioning(batch),
                                                  mm::Strength::of(config_.switches));
    return mm::forward_with_adapter(transformer_, input, *hook_, at::tensor(mask, at::kLong));
}

// 1 - cosine between the reference and the face of the first frame as it would be if denoising ended here. The frozen
// decoder and recogniser pass the gradient on; where the face is, is known from the drawing.
at::Tensor AdapterTask::identity_loss(const Batch& batch, const NoisedLatents& noised, const at::Tensor& answer,
                                      const std::vector<bool>& chosen) const {
    std::vector<at::Tensor> terms;
    const at::Tensor x0 = NoiseTable::denoised(noised, answer.to(at::kFloat));
    for (std::size_t i = 0; i < batch.clips.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        const double alpha = noised.alpha[row].item<double>();
        if (!chosen[i] || !batch.conditions[i].face || alpha < kLeastAlpha) continue;
        const at::Tensor cosine =
            likeness(first_frame(x0[row]), batch.clips[i]->first_face, embedding(batch.references[i]));
        terms.push_back(alpha * (1.0 - cosine));
    }
    if (terms.empty()) return {};
    return at::stack(terms).sum() / static_cast<double>(batch.clips.size());
}

BatchLoss AdapterTask::loss_of(const BatchPlace& place) {
    const Batch drawn = batch_of(place);
    RandomStream random(place.seed, Purpose::Noise, static_cast<std::uint64_t>(place.first_sample));
    at::Tensor noise = noise_for(place, latents_of(drawn.clips, at::kCPU), random);
    const std::vector<std::int64_t> all_times = table_.spread_timesteps(random, place.size);
    // Where the face is dropped the adapter is off: the frozen base answers alone and no gradient comes of it.
    std::vector<std::int64_t> rows, times;
    std::vector<bool> inside, identified;
    std::vector<at::Tensor> areas;
    for (std::int64_t i = 0; i < place.size; ++i) {
        const bool face_alone = random.chance(settings_.face_share), looks = random.chance(settings_.identity_share);
        if (!place.has(i)) continue;
        const auto row = static_cast<std::size_t>(i - place.begin);
        if (!drawn.conditions[row].face) continue;
        rows.push_back(i - place.begin);
        times.push_back(all_times[static_cast<std::size_t>(i)]);
        inside.push_back(face_alone);
        identified.push_back(looks);
        areas.push_back(drawn.clips[row]->face_area);
    }
    if (rows.empty()) return {at::zeros({}), {}};
    const Batch batch = drawn.only(rows);
    noise = noise.index_select(0, at::tensor(rows, at::kLong)).to(device_);
    const at::Tensor timesteps = at::tensor(times, at::kLong).to(device_);
    const NoisedLatents noised = table_.noised(latents_of(batch.clips, device_), noise, timesteps);
    const at::Tensor answer = velocity(noised.latents, fused_text(batch), timesteps, batch);
    const at::Tensor losses = velocity_loss(answer, noised.velocity, at::stack(areas).to(device_), inside);
    BatchLoss result{losses.sum() / static_cast<double>(place.count), {}};
    result.measures.emplace_back("velocity", losses.mean().item<double>());
    if (settings_.identity <= 0) return result;
    const at::Tensor identity = identity_loss(batch, noised, answer, identified);
    if (!identity.defined()) return result;
    result.loss = result.loss + identity_weight(place.first_sample) * identity *
                                    (static_cast<double>(rows.size()) / static_cast<double>(place.count));
    result.measures.emplace_back("identity", identity.item<double>());
    return result;
}

// The cosine between the recogniser's view of a picture [3, H, W] and a known face.
at::Tensor AdapterTask::likeness(const at::Tensor& picture, const FaceBox& face, const at::Tensor& embedding) const {
    const at::Tensor aligned = aligned_face(picture.to(at::kFloat), face.landmarks);
    const at::Tensor seen = encoder_.recognizer().forward(aligned.unsqueeze(0))[0].to(at::kFloat);
    const at::Tensor known = embedding.to(device_);
    return (seen * known).sum() / (seen.norm() * known.norm()).clamp_min(1e-6);
}

// The first frame [3, H, W] of latents [F, Z, h, w] as the transformer has them.
at::Tensor AdapterTask::first_frame(const at::Tensor& latents) const {
    const at::Tensor first = latents.narrow(0, 0, 1).transpose(0, 1).unsqueeze(0);  // [1, Z, 1, h, w]
    return latents_.vae->decode(first / latents_.vae->config().scaling_factor)[0].select(1, 0);
}

AdapterTask::Batch AdapterTask::held_out_batch(std::int64_t first, std::int64_t count) {
    const bool still = data_.frames == 1;
    DiffusionData& from = data_.held_out->items(still) > 0 ? *data_.held_out : *data_.train;
    Batch batch;
    for (std::int64_t i = first; i < first + count; ++i) {
        const std::int64_t item = i % from.items(still);
        batch.clips.push_back(&from.clip(item, still));
        batch.references.push_back({&from.first_reference(item, still)});
        batch.captions.push_back(from.caption(item, still, static_cast<std::uint64_t>(i), CaptionFor::Adapter));
        batch.conditions.push_back({true, true});
    }
    return batch;
}

// On people and texts that were never seen, with the adapter and without it: the loss at one time each, and how like
// the reference the face is in the clip that is foreseen at a fixed time, where the noise shows where the face is and
// hardly whose it is.
Measures AdapterTask::evaluate() {
    const std::int64_t count = std::min(kHeldOut, data_.held_out->items(data_.frames == 1));
    std::array<double, 2> loss{}, identity{};
    for (std::int64_t first = 0; first < count; first += kScoredAtOnce) {
        Batch batch = held_out_batch(first, std::min(kScoredAtOnce, count - first));
        const at::Tensor x0 = latents_of(batch.clips, device_);
        RandomStream random(7, Purpose::Grid, static_cast<std::uint64_t>(first));
        const at::Tensor noise = random.normal(x0.sizes()).to(device_);
        const at::Tensor any = at::tensor(table_.spread_timesteps(random, x0.size(0)), at::kLong).to(device_);
        const at::Tensor late = at::full({x0.size(0)}, table_.timesteps() * 3 / 4, at::kLong).to(device_);
        const NoisedLatents at_any = table_.noised(x0, noise, any), at_late = table_.noised(x0, noise, late);
        for (const std::size_t on : {std::size_t{0}, std::size_t{1}}) {
            for (Conditions& conditions : batch.conditions) conditions.face = on == 1;
            const at::Tensor text = fused_text(batch);
            const at::Tensor answer = velocity(at_any.latents, text, any, batch).to(at::kFloat);
            loss[on] += (answer - at_any.velocity).square().mean().item<double>() * static_cast<double>(x0.size(0));
            const at::Tensor foreseen =
                NoiseTable::denoised(at_late, velocity(at_late.latents, text, late, batch).to(at::kFloat));
            for (std::size_t i = 0; i < batch.clips.size(); ++i) {
                const at::Tensor picture = first_frame(foreseen[static_cast<std::int64_t>(i)]);
                identity[on] +=
                    likeness(picture, batch.clips[i]->first_face, embedding(batch.references[i])).item<double>();
            }
        }
    }
    if (count == 0) return {};
    const auto n = static_cast<double>(count);
    return {{"held_out_loss", loss[1] / n},
            {"held_out_loss_adapter_off", loss[0] / n},
            {"held_out_identity", identity[1] / n},
            {"held_out_identity_adapter_off", identity[0] / n}};
}

std::vector<at::Tensor> AdapterTask::sample_pictures(const Batch& batch) {
    const auto count = static_cast<std::int64_t>(batch.clips.size());
    RandomStream random(11, Purpose::Grid, 0);
    const at::Tensor like = batch.clips[0]->latents;
    const at::Tensor start = random.normal({count, like.size(0), like.size(1), like.size(2), like.size(3)});
    const at::Tensor prompts = fused_text(batch);
    Batch nothing = batch;
    for (Conditions& conditions : nothing.conditions) conditions = {false, false};
    const at::Tensor empty = fused_text(nothing);
    const auto predict = [&](const DenoiseStep& step, const at::Tensor& now) {
        const at::Tensor times = at::full({count}, step.timestep, at::kLong).to(device_);
        return at::cat({velocity(now, empty, times, nothing), velocity(now, prompts, times, batch)}).to(at::kFloat);
    };
    const at::Tensor made = sampled_clips(*latents_.vae, schedule_, start.to(device_), predict);
    std::vector<at::Tensor> pictures;
    for (std::int64_t i = 0; i < count; ++i) pictures.push_back(made[i].select(1, made.size(2) - 1));
    return pictures;
}

// References above what is drawn of them with the adapter, above the same without it.
Frame AdapterTask::picture() {
    const bool still = data_.frames == 1;
    DiffusionData& from = data_.held_out->items(still) > 0 ? *data_.held_out : *data_.train;
    Batch batch = held_out_batch(0, kShown);
    std::vector<at::Tensor> cells;
    for (int i = 0; i < kShown; ++i) cells.push_back(resized(from.reference_picture(i % from.items(still), still)));
    for (const at::Tensor& picture : sample_pictures(batch)) cells.push_back(picture);
    for (Conditions& conditions : batch.conditions) conditions.face = false;
    for (const at::Tensor& picture : sample_pictures(batch)) cells.push_back(picture);
    return picture_grid(cells, kShown);
}

void AdapterTask::write_model(const std::filesystem::path& folder, const TensorMap& named) {
    start_.write_texts(folder, {});
    TensorMap tensors;
    for (const auto& [name, tensor] : named) tensors[name] = tensor.to(at::kBFloat16);
    mm::AdapterOrigin origin;
    origin.id_pack = encoder_.recognizer().config().id_pack;
    origin.base_model_sha256 = start_.fingerprint("transformer");
    origin.clip_sha256 = start_.fingerprint("image_encoder");
    origin.perceiver_id_sha256 = start_.fingerprint("id_perceiver");
    origin.stage = data_.frames == 1 ? "image" : "video";
    origin.text_encoder = "t5-" + start_.preset().name + "-encoder";
    write_weights(folder / "adapter", "adapter", tensors, mm::adapter_metadata(config_, origin));
}

}  // namespace

void check_adapter_recipe(const Recipe& recipe) {
    ModelStart::check(recipe, ModelStart::Switches::Taken);
    AdapterSettings::read(recipe.file);
    check_diffusion_data(recipe.file.object("data"));
}

std::unique_ptr<TrainingTask> make_adapter_task(const Recipe& recipe, at::Device device, const TaskPorts& ports) {
    return std::make_unique<AdapterTask>(recipe, device, ports);
}

}  // namespace mirror::engine::training
