#include "engine/training/text_task.h"

#include <optional>
#include <string_view>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/text/t5_encoder.h"
#include "engine/training/caption_meaning.h"
#include "engine/training/captions.h"
#include "engine/training/first_weights.h"
#include "engine/training/model_start.h"
#include "engine/training/model_writer.h"
#include "engine/training/people/caption.h"
#include "engine/training/random_stream.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kHeldOut = 256;

struct TextSettings {
    static TextSettings read(const Recipe& recipe) {
        TextSettings settings;
        const ConfigReader losses = recipe.file.object("losses");
        losses.refuse_unknown({"keep", "fresh_attention"});
        settings.keep = losses.number_or("keep", settings.keep, 0.0, 1e3);
        settings.fresh_attention = losses.boolean_or("fresh_attention", settings.fresh_attention);
        for (const char* key : {"keep", "fresh_attention"})
            if (losses.has(key) && recipe.input.empty()) losses.refuse(key, "needs an input");
        const ConfigReader data = recipe.file.object("data");
        data.refuse_unknown({"styles", "moving_camera"});
        settings.scenes.other_style_share =
            data.number_or("styles", settings.scenes.other_style_share, 0.0, people::kMostOtherStyleShare);
        settings.scenes.moving_camera_share =
            data.number_or("moving_camera", settings.scenes.moving_camera_share, 0.0, 1.0);
        return settings;
    }

    double keep = 0;               // How much it counts to stay near what the input's encoder says.
    bool fresh_attention = false;  // The attention begins anew; the rest comes from the input.
    people::SceneOptions scenes;
};

struct Captions {
    std::vector<std::string> texts;
    std::vector<people::SceneRequest> scenes;

    // As the base is taught (looks, no trigger) or as an adapter is.
    void add(const people::SceneRequest& scene, RandomStream& random) {
        const bool trigger = random.chance(0.5);
        texts.push_back(people::caption(scene, {random.bits(), people::CaptionLength::Any, trigger, !trigger}));
        scenes.push_back(scene);
    }
};

class TextTask : public TrainingTask {
public:
    TextTask(const Recipe& recipe, at::Device device)
        : start_(recipe, device),
          device_(device),
          settings_(TextSettings::read(recipe)),
          config_(T5Config::read(start_.config("text_encoder"))),
          tokenizer_(start_.tokenizer()),
          length_(cogvideox::read_transformer_config(start_.config("transformer")).max_text_seq_length) {
        const auto recorder = std::make_shared<ShapeRecorder>();
        construct(WeightScope(recorder, {}));
        store_ = std::make_shared<TrainableStore>(recorder->entries(), first_values(recipe.seed), device);
        construct(WeightScope(store_, {at::kFloat, device}));
        if (settings_.keep > 0) before_.emplace(start_.frozen("text_encoder"), config_);
        for (std::int64_t i = 0; i < kHeldOut; ++i) {
            RandomStream random(recipe.seed, Purpose::Grid, static_cast<std::uint64_t>(i));
            held_out_.add(people::random_scene(random.bits(), people::Split::Validation, settings_.scenes), random);
        }
    }

    std::shared_ptr<TrainableStore> store() override { return store_; }
    Frame picture() override { return {}; }

    BatchLoss loss_of(const BatchPlace& place) override {
        Captions captions;
        for (std::int64_t i = 0; i < place.count; ++i) {
            RandomStream random(place.seed, Purpose::Sample, static_cast<std::uint64_t>(place.sample(i)));
            captions.add(people::random_scene(random.bits(), people::Split::Train, settings_.scenes), random);
        }
        const at::Tensor ids = token_rows(tokenizer_, captions.texts, length_).to(device_);
        const at::Tensor text = (*encoder_)(ids);
        at::Tensor loss = meaning_->loss(text, ids, captions.scenes);
        Measures measures = {{"meaning", loss.item<double>()}};
        if (before_) {
            const at::Tensor wanted = (*before_)(ids).detach().to(at::kFloat);
            // Of every caption by itself, so that parts of a batch add up to the whole.
            const at::Tensor power = wanted.square().mean({1, 2});
            const at::Tensor change = ((text.to(at::kFloat) - wanted).square().mean({1, 2}) / power).mean();
            loss = loss + settings_.keep * change;
            measures.emplace_back("change", change.item<double>());
        }
        return {loss, measures};
    }

    // The shares of all tokens that tell the action and the place of captions about people that were never seen.
    Measures evaluate() override {
        const at::Tensor ids = token_rows(tokenizer_, held_out_.texts, length_).to(device_);
        const auto [action, place] = meaning_->right((*encoder_)(ids), ids, held_out_.scenes);
        return {{"held_out_action", action}, {"held_out_place", place}};
    }

    void write_model(const std::filesystem::path& folder, const TensorMap& named) override {
        start_.write_texts(folder, {"text_encoder", "tokenizer"});
        TensorMap tensors;
        for (const auto& [name, tensor] : named)
            if (name.starts_with(kPart)) tensors[name.substr(kPart.size())] = tensor.to(at::kBFloat16);
        write_weights(folder / "text_encoder", "model", tensors);
    }

private:
    static constexpr std::string_view kPart = "text_encoder.";

    void construct(const WeightScope& weights) {
        encoder_.emplace(weights / "text_encoder", config_);
        meaning_.emplace(weights / "meaning", config_.d_model);
    }
    Initializer first_values(std::uint64_t seed) const {
        const Initializer fresh = text_encoder_start(config_, seed), from_input = start_.values("text_encoder", fresh);
        const auto encoder = [fresh, from_input, anew = settings_.fresh_attention](const std::string& name,
                                                                                   at::IntArrayRef shape) {
            const bool is_attention = name.find(".SelfAttention.") != std::string::npos;
            return anew && is_attention ? fresh(name, shape) : from_input(name, shape);
        };
        return joined_start({{"text_encoder", encoder}, {"meaning", general_start(seed + 1)}});
    }

    ModelStart start_;
    at::Device device_;
    TextSettings settings_;
    T5Config config_;
    Tokenizer tokenizer_;
    std::int64_t length_;
    std::shared_ptr<TrainableStore> store_;
    std::optional<T5Encoder> encoder_, before_;
    std::optional<CaptionMeaning> meaning_;
    Captions held_out_;
};

}  // namespace

void check_text_recipe(const Recipe& recipe) {
    ModelStart::check(recipe, ModelStart::Switches::Refused);
    TextSettings::read(recipe);
}

std::unique_ptr<TrainingTask> make_text_task(const Recipe& recipe, at::Device device) {
    return std::make_unique<TextTask>(recipe, device);
}

}  // namespace mirror::engine::training
