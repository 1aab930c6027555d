#include "engine/training/identity_tasks.h"

#include <cmath>
#include <optional>

#include "engine/core/result.h"
#include "engine/face/recognizer_network.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/training/captions.h"
#include "engine/training/first_weights.h"
#include "engine/training/identity_heads.h"
#include "engine/training/model_start.h"
#include "engine/training/model_writer.h"

namespace mirror::engine::training {

namespace {

namespace mm = magic_mirror;

constexpr const char* kStem = "model";
constexpr std::int64_t kGalleryPeople = 64;
constexpr std::int64_t kGalleryPictures = 4;  // Three to know a person by, one to ask.

// What the three stages share: data, heads, the gallery.
class IdentityTask : public TrainingTask {
public:
    IdentityTask(const Recipe& recipe, at::Device device)
        : start_(recipe, device),
          device_(device),
          losses_(IdentityLosses::read(recipe)),
          people_(PeopleOptions::read(recipe.file.object("data"))) {}

    std::shared_ptr<TrainableStore> store() override { return store_; }
    Frame picture() override { return {}; }
    Measures evaluate() override {
        const PeopleBatch gallery = gallery_batch(people_, people::Split::Validation, kGalleryPeople, kGalleryPictures,
                                                  crop_size(), crop_expand());
        std::vector<at::Tensor> rows;
        for (std::int64_t i = 0; i < kGalleryPeople * kGalleryPictures; i += 32)
            rows.push_back(
                embed(gallery.aligned.narrow(0, i, 32).to(device_), gallery.crops.narrow(0, i, 32).to(device_)));
        return {{"held_out_top_1_of_64", top_1(at::cat(rows).to(at::kCPU), kGalleryPeople, kGalleryPictures)}};
    }

protected:
    // [B, width]: what the people are told apart by.
    virtual at::Tensor embed(const at::Tensor& aligned, const at::Tensor& crops) const = 0;
    std::int64_t crop_size() const { return start_.preset().adapter.clip_vision.image_size; }
    double crop_expand() const { return start_.preset().adapter.switches.ref_crop_expand; }

    PeopleBatch batch_at(const BatchPlace& place) const {
        return people_batch(people_, people::Split::Train, place.seed, place.sample(0), place.count, crop_size(),
                            crop_expand(), changes_);
    }
    // Makes everything that is trained.
    virtual void construct(const WeightScope& weights) = 0;
    // Constructs twice: for the shapes and for the weights. Called by the constructors of the stages.
    void make_store(const Initializer& initial) {
        const auto recorder = std::make_shared<ShapeRecorder>();
        construct(WeightScope(recorder, {}));
        store_ = std::make_shared<TrainableStore>(recorder->entries(), initial, device_);
        construct(WeightScope(store_, {at::kFloat, device_}));
    }
    Initializer with_heads(Initializer network, std::uint64_t seed) const {
        return joined_start({{"network", std::move(network)}, {"heads", general_start(seed + 1)}});
    }

    ModelStart start_;
    at::Device device_;
    IdentityLosses losses_;
    PeopleOptions people_;
    ReferenceChanges changes_;
    std::shared_ptr<TrainableStore> store_;
    std::optional<IdentityHeads> heads_;
};

RecognizerConfig recognizer_config(const ModelStart& start) {
    return read_recognizer_config(start.config("recognizer"));
}

class RecognizerTask final : public IdentityTask {
public:
    RecognizerTask(const Recipe& recipe, at::Device device) : IdentityTask(recipe, device) {
        config_ = recognizer_config(start_);
        make_store(with_heads(start_.values("recognizer", general_start(recipe.seed)), recipe.seed));
    }

    BatchLoss loss_of(const BatchPlace& place) override {
        const PeopleBatch batch = batch_at(place);
        return heads_->loss(network_->forward(batch.aligned.to(device_)), batch, losses_);
    }
    void write_model(const std::filesystem::path& folder, const TensorMap& named) override {
        start_.write_texts(folder, {"recognizer"});
        write_weights(folder / "recognizer", kStem, network_tensors(named, at::kFloat));
    }

protected:
    void construct(const WeightScope& weights) final {
        network_.emplace(weights / "network", config_);
        heads_.emplace(weights / "heads", config_.id_dim, people_.people);
    }
    at::Tensor embed(const at::Tensor& aligned, const at::Tensor&) const override { return network_->forward(aligned); }

private:
    RecognizerConfig config_;
    std::optional<RecognizerNetwork> network_;
};

// Captions as one vector each: the mean of their words.
struct CaptionReader {
    CaptionReader(const WeightScope& weights, std::int64_t vocabulary, std::int64_t width)
        : words((weights / "words").tensor("weight", {vocabulary, width})),
          out(weights / "out", width, width),
          warmth((weights / "warmth").tensor("weight", {1})) {}

    at::Tensor operator()(const at::Tensor& ids) const {  // [B, L] -> [B, width]; padding (0) does not count.
        const at::Tensor present = ids.ne(0).unsqueeze(2).to(at::kFloat);
        const at::Tensor sum = (at::embedding(words, ids) * present).sum(1);
        return out(sum / present.sum(1).clamp_min(1.0));
    }

    at::Tensor words;
    Linear out;
    at::Tensor warmth;  // [1]: how sharply similarities are compared.
};

class ClipTowerTask final : public IdentityTask {
public:
    ClipTowerTask(const Recipe& recipe, at::Device device)
        : IdentityTask(recipe, device),
          shape_(mm::read_clip_vision_config(start_.config("image_encoder"))),
          tokenizer_(value_or_throw(
              Tokenizer::parse(start_.preset().spiece_model(), "spiece.model", start_.preset().vocabulary))) {
        make_store(joined_start({{"network", start_.values("image_encoder", general_start(recipe.seed))},
                                 {"heads", general_start(recipe.seed + 1)},
                                 {"dense", general_start(recipe.seed + 2)},
                                 {"captions", general_start(recipe.seed + 3)}}));
    }

    BatchLoss loss_of(const BatchPlace& place) override {
        const PeopleBatch batch = batch_at(place);
        const mm::ClipFeatures features = (*network_)(batch.crops.to(device_));
        BatchLoss result = heads_->loss(features.last_hidden_state.mean(1), batch, losses_);
        // The layer before the last is what the face perceiver reads: its tokens, too, must tell what is seen.
        const at::Tensor dense = code_loss(dense_(features.penultimate.mean(1)), batch.codes.to(device_));
        result.loss = result.loss + losses_.code * dense;
        result.measures.emplace_back("dense_code", dense.item<double>());
        if (losses_.contrast > 0) {
            const at::Tensor contrast = contrast_loss(network_->pooled(features.last_hidden_state), batch, place);
            result.loss = result.loss + losses_.contrast * contrast;
            result.measures.emplace_back("contrast", contrast.item<double>());
        }
        return result;
    }
    void write_model(const std::filesystem::path& folder, const TensorMap& named) override {
        start_.write_texts(folder, {"image_encoder"});
        write_weights(folder / "image_encoder", kStem, network_tensors(named, at::kBFloat16));
    }

protected:
    void construct(const WeightScope& weights) final {
        network_.emplace(weights / "network", shape_);
        heads_.emplace(weights / "heads", shape_.hidden_size, people_.people);
        dense_ = Linear(weights / "dense", shape_.hidden_size, people::kIdentityCodeLength);
        captions_.emplace(weights / "captions", start_.preset().vocabulary, shape_.hidden_size);
    }
    at::Tensor embed(const at::Tensor&, const at::Tensor& crops) const override {
        return (*network_)(crops).last_hidden_state.mean(1);
    }

private:
    // Each picture finds its caption among those of the batch, and each caption its picture (Radford et al., 2021).
    at::Tensor contrast_loss(const at::Tensor& pictures, const PeopleBatch& batch, const BatchPlace& place) const {
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < batch.scenes.size(); ++i) {
            const auto seed = static_cast<std::uint64_t>(place.sample(0)) + i;
            texts.push_back(people::caption(batch.scenes[i], {seed, people::CaptionLength::Long, false, true}));
        }
        const std::int64_t length = start_.preset().adapter.dit.max_text_seq_length;
        const at::Tensor words = (*captions_)(token_rows(tokenizer_, texts, length).to(device_));
        const at::Tensor a = pictures / pictures.norm(2, 1, true).clamp_min(1e-6);
        const at::Tensor b = words / words.norm(2, 1, true).clamp_min(1e-6);
        const at::Tensor scores = at::matmul(a, b.t()) * (10.0 * captions_->warmth.exp() / std::exp(1.0));
        const at::Tensor right = at::arange(scores.size(0), at::TensorOptions(at::kLong).device(device_));
        return 0.5 * (at::cross_entropy_loss(scores, right) + at::cross_entropy_loss(scores.t(), right));
    }

    mm::ClipVisionShape shape_;
    Tokenizer tokenizer_;
    std::optional<mm::ClipVision> network_;
    Linear dense_;
    std::optional<CaptionReader> captions_;
};

class IdPerceiverTask final : public IdentityTask {
public:
    IdPerceiverTask(const Recipe& recipe, at::Device device)
        : IdentityTask(recipe, device),
          config_(mm::read_perceiver_id_config(start_.config("id_perceiver"))),
          recognizer_(start_.frozen("recognizer"), recognizer_config(start_)),
          tower_(start_.frozen("image_encoder"), start_.folder().clip_vision_shape()) {
        make_store(with_heads(start_.values("id_perceiver", general_start(recipe.seed)), recipe.seed));
    }

    BatchLoss loss_of(const BatchPlace& place) override {
        const PeopleBatch batch = batch_at(place);
        return heads_->loss(embed(batch.aligned.to(device_), batch.crops.to(device_)), batch, losses_);
    }
    void write_model(const std::filesystem::path& folder, const TensorMap& named) override {
        start_.write_texts(folder, {"id_perceiver"});
        write_weights(folder / "id_perceiver", kStem, network_tensors(named, at::kBFloat16));
    }

protected:
    void construct(const WeightScope& weights) final {
        network_.emplace(weights / "network", config_);
        heads_.emplace(weights / "heads", config_.shape.tokens * config_.shape.width, people_.people);
    }
    at::Tensor embed(const at::Tensor& aligned, const at::Tensor& crops) const override {
        const auto layer = start_.preset().adapter.switches.id_vit_layer;
        const mm::ClipFeatures features = tower_(crops);
        return (*network_)(recognizer_.forward(aligned), mm::tap(features, layer)).flatten(1);
    }

private:
    mm::PerceiverIdConfig config_;
    RecognizerNetwork recognizer_;
    mm::ClipVision tower_;
    std::optional<mm::PerceiverId> network_;
};

}  // namespace

void check_identity_recipe(const Recipe& recipe) {
    ModelStart::check(recipe, ModelStart::Switches::Refused);
    IdentityLosses::read(recipe);
    PeopleOptions::read(recipe.file.object("data"));
}

std::unique_ptr<TrainingTask> make_recognizer_task(const Recipe& recipe, at::Device device) {
    return std::make_unique<RecognizerTask>(recipe, device);
}

std::unique_ptr<TrainingTask> make_clip_tower_task(const Recipe& recipe, at::Device device) {
    return std::make_unique<ClipTowerTask>(recipe, device);
}

std::unique_ptr<TrainingTask> make_id_perceiver_task(const Recipe& recipe, at::Device device) {
    return std::make_unique<IdPerceiverTask>(recipe, device);
}

}  // namespace mirror::engine::training
