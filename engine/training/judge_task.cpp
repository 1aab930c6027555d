#include "engine/training/judge_task.h"

#include <algorithm>
#include <optional>

#include "engine/tensor/layers.h"
#include "engine/training/first_weights.h"
#include "engine/training/identity_heads.h"
#include "engine/training/judge_data.h"
#include "engine/training/judge_network.h"
#include "engine/training/model_writer.h"
#include "engine/training/person_features.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kGalleryPeople = 64;
constexpr std::int64_t kGalleryPictures = 4;
constexpr std::int64_t kHeldOutClips = 60;
constexpr std::int64_t kStep = 32;  // Pictures at once when nothing is trained.
constexpr double kJitter = 0.05;    // Of the face's size: how far a crop is off when it is trained on.
constexpr std::uint64_t kHeldOutSeed = 77;

struct JudgeLosses {
    static JudgeLosses read(const ConfigReader& recipe) {
        JudgeLosses losses;
        if (!recipe.has("losses")) return losses;
        const ConfigReader part = recipe.object("losses");
        part.refuse_unknown({"margin", "scale", "identity", "code", "place", "style", "face", "action"});
        losses.margin = part.number_or("margin", losses.margin, 0.0, 1.0);
        losses.scale = part.number_or("scale", losses.scale, 1.0, 1e3);
        losses.identity = part.number_or("identity", losses.identity, 0.0, 1e3);
        losses.code = part.number_or("code", losses.code, 0.0, 1e3);
        losses.place = part.number_or("place", losses.place, 0.0, 1e3);
        losses.style = part.number_or("style", losses.style, 0.0, 1e3);
        losses.face = part.number_or("face", losses.face, 0.0, 1e3);
        losses.action = part.number_or("action", losses.action, 0.0, 1e3);
        return losses;
    }

    double margin = 0.2, scale = 20.0;
    double identity = 1.0, code = 2.0, place = 0.5, style = 0.5, face = 10.0, action = 1.0;
};

double share_right(const at::Tensor& logits, const at::Tensor& truth) {
    return logits.argmax(1).eq(truth.to(logits.device())).to(at::kFloat).mean().item<double>();
}

// Boxes a little off, as the judge's own will be.
at::Tensor jittered(const at::Tensor& faces, const BatchPlace& place) {
    RandomStream random(place.seed, Purpose::Augment, static_cast<std::uint64_t>(place.first_sample));
    const at::Tensor boxes = faces.narrow(1, 0, 4);
    const at::Tensor size = (boxes.narrow(1, 2, 2) - boxes.narrow(1, 0, 2)).amax(1, /*keepdim=*/true);
    const at::Tensor offsets = place.part_of(random.normal({place.size, boxes.size(1)}));
    return boxes + offsets.mul(kJitter).to(boxes.device()) * size;
}

class JudgeTask final : public TrainingTask {
public:
    JudgeTask(const Recipe& recipe, at::Device device)
        : device_(device),
          config_(JudgeConfig::read(recipe.file.object("model"))),
          data_(JudgeData::read(recipe.file.object("data"))),
          losses_(JudgeLosses::read(recipe.file)) {
        const auto recorder = std::make_shared<ShapeRecorder>();
        construct(WeightScope(recorder, {}));
        const Initializer initial =
            joined_start({{"network", general_start(recipe.seed)}, {"heads", general_start(recipe.seed + 1)}});
        store_ = std::make_shared<TrainableStore>(recorder->entries(), initial, device);
        construct(WeightScope(store_, {at::kFloat, device}));
    }

    std::shared_ptr<TrainableStore> store() override { return store_; }
    Frame picture() override { return {}; }

    BatchLoss loss_of(const BatchPlace& place) override {
        const JudgePictures batch = judge_pictures(data_, people::Split::Judge, place);
        const at::Tensor pictures = batch.pictures.to(device_), faces = batch.faces.to(device_);
        const at::Tensor embeddings = network_->identities(face_crops(pictures, jittered(faces, place)));
        const SeenFrames seen = network_->frames(resized_pictures(pictures, JudgeConfig::small_size));
        BatchLoss result;
        result.loss = at::zeros({}, at::TensorOptions(at::kFloat).device(device_));
        const auto add = [&](const char* name, double weight, const at::Tensor& loss) {
            result.loss = result.loss + weight * loss;
            result.measures.emplace_back(name, loss.item<double>());
        };
        add("identity", losses_.identity,
            margin_loss(embeddings, classes_, batch.classes.to(device_), losses_.scale, losses_.margin));
        add("code", losses_.code, code_loss(code_(embeddings), batch.codes.to(device_)));
        add("place", losses_.place, at::cross_entropy_loss(seen.places, batch.places.to(device_)));
        add("style", losses_.style, at::cross_entropy_loss(seen.styles, batch.styles.to(device_)));
        add("face", losses_.face, (seen.faces - faces).abs().mean());
        const JudgeClips clips = judge_clips(data_, people::Split::Judge, place);
        if (!clips.clips.defined()) return result;
        // Of the batch's clips this part has more or fewer than its share.
        const double share =
            static_cast<double>(clips.actions.size(0) * place.size) / static_cast<double>(clips.of_batch * place.count);
        add("action", losses_.action * share, at::cross_entropy_loss(actions(clips.clips), clips.actions.to(device_)));
        return result;
    }

    Measures evaluate() override {
        const JudgePictures gallery = judge_gallery(data_, people::Split::Validation, kGalleryPeople, kGalleryPictures);
        std::vector<at::Tensor> identities, places, styles, faces;
        for (std::int64_t i = 0; i < gallery.pictures.size(0); i += kStep) {
            const at::Tensor pictures = gallery.pictures.narrow(0, i, kStep).to(device_);
            const SeenFrames seen = network_->frames(resized_pictures(pictures, JudgeConfig::small_size));
            identities.push_back(network_->identities(face_crops(pictures, seen.faces)));
            places.push_back(seen.places);
            styles.push_back(seen.styles);
            faces.push_back(seen.faces);
        }
        const double off = (at::cat(faces) - gallery.faces.to(device_)).abs().mean().item<double>();
        return {{"held_out_top_1_of_64", top_1(at::cat(identities).to(at::kCPU), kGalleryPeople, kGalleryPictures)},
                {"held_out_place", share_right(at::cat(places), gallery.places)},
                {"held_out_style", share_right(at::cat(styles), gallery.styles)},
                {"held_out_face_pixels", off * JudgeConfig::picture_size},
                {"held_out_action", held_out_actions()}};
    }

    void write_model(const std::filesystem::path& folder, const TensorMap& named) override {
        write_text(folder / "config.json", config_.json());
        write_weights(folder, "model", network_tensors(named, at::kFloat));
    }

private:
    void construct(const WeightScope& weights) {
        network_.emplace(weights / "network", config_);
        classes_ = (weights / "heads" / "classes").tensor("weight", {data_.people, config_.id_dim});
        code_ = Linear(weights / "heads" / "code", config_.id_dim, people::kIdentityCodeLength);
    }
    at::Tensor actions(const at::Tensor& clips) const {
        const at::Tensor frames = clips.to(device_).flatten(0, 1);
        const at::Tensor small = resized_pictures(frames, JudgeConfig::small_size);
        return network_->actions(small.view({clips.size(0), clips.size(1), 3, small.size(2), small.size(3)}));
    }
    double held_out_actions() const {
        JudgeData clean = data_;
        clean.spoil = 0;
        clean.pictures_per_clip = 1;
        double right = 0;
        constexpr std::int64_t kAtOnce = 10;
        for (std::int64_t i = 0; i < kHeldOutClips; i += kAtOnce) {
            const JudgeClips clips = judge_clips(clean, people::Split::Validation, {kHeldOutSeed, i, kAtOnce});
            right += share_right(actions(clips.clips), clips.actions) * kAtOnce;
        }
        return right / kHeldOutClips;
    }

    at::Device device_;
    JudgeConfig config_;
    JudgeData data_;
    JudgeLosses losses_;
    std::shared_ptr<TrainableStore> store_;
    std::optional<JudgeNetwork> network_;
    at::Tensor classes_;
    Linear code_;
};

}  // namespace

void check_judge_recipe(const Recipe& recipe) {
    if (!recipe.input.empty()) recipe.file.refuse("input", "is for other stages: the judge begins with nothing");
    JudgeConfig::read(recipe.file.object("model"));
    JudgeData::read(recipe.file.object("data"));
    JudgeLosses::read(recipe.file);
}

std::unique_ptr<TrainingTask> make_judge_task(const Recipe& recipe, at::Device device) {
    return std::make_unique<JudgeTask>(recipe, device);
}

}  // namespace mirror::engine::training
