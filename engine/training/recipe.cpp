#include "engine/training/recipe.h"

#include <utility>

#include "engine/core/utf8.h"
#include "engine/formats/sha256.h"
#include "engine/training/recipe_file.h"

namespace mirror::engine::training {

namespace {

constexpr std::int64_t kMaxSamples = 1'000'000'000;
constexpr std::int64_t kMaxBatch = 65'536;
constexpr double kLargestBeta2OfBf16 = 0.99;  // Eight bits: less than 1/256 more or less is no change.

StageKind stage_of(const ConfigReader& file) {
    const std::string word = file.choice(
        "stage", {"vae", "recognizer", "clip-tower", "id-perceiver", "text-encoder", "base", "adapter", "judge"});
    if (word == "vae") return StageKind::Vae;
    if (word == "recognizer") return StageKind::Recognizer;
    if (word == "clip-tower") return StageKind::ClipTower;
    if (word == "id-perceiver") return StageKind::IdPerceiver;
    if (word == "text-encoder") return StageKind::Text;
    if (word == "judge") return StageKind::Judge;
    return word == "base" ? StageKind::Base : StageKind::Adapter;
}

LearningRate read_learning_rate(const ConfigReader& file, std::int64_t samples) {
    const ConfigReader part = file.object("learning_rate");
    part.refuse_unknown({"peak", "last_fraction", "warmup_samples"});
    LearningRate rate;
    rate.peak = part.number("peak", 1e-9, 10.0);
    rate.last_fraction = part.number_or("last_fraction", 0.1, 0.0, 1.0);
    rate.warmup_samples = part.integer_or("warmup_samples", 0, 0, kMaxSamples);
    rate.samples = samples;
    if (rate.warmup_samples >= samples) part.refuse("warmup_samples", "must be less than samples");
    return rate;
}

AdamWSettings read_optimizer(const ConfigReader& file) {
    AdamWSettings settings;
    if (!file.has("optimizer")) return settings;
    const ConfigReader part = file.object("optimizer");
    part.refuse_unknown({"beta1", "beta2", "epsilon", "weight_decay", "clip", "ema", "moments"});
    settings.beta1 = part.number_or("beta1", settings.beta1, 0.0, 0.99999);
    settings.beta2 = part.number_or("beta2", settings.beta2, 0.0, 0.99999);
    settings.epsilon = part.number_or("epsilon", settings.epsilon, 1e-16, 1.0);
    settings.weight_decay = part.number_or("weight_decay", settings.weight_decay, 0.0, 1.0);
    settings.clip = part.number_or("clip", settings.clip, 0.0, 1e6);
    settings.ema = part.number_or("ema", settings.ema, 0.0, 0.999999);
    if (part.has("moments")) settings.bf16_moments = part.choice("moments", {"float32", "bf16"}) == "bf16";
    if (settings.bf16_moments && settings.beta2 > kLargestBeta2OfBf16)
        part.refuse("beta2", "must be at most 0.99 with moments in bf16, which lose smaller changes");
    return settings;
}

}  // namespace

Recipe Recipe::open(const std::filesystem::path& file) {
    return parse(recipe_text(file), escape_for_message(file.string()));
}

Recipe Recipe::parse(const std::string& json, const std::string& origin) {
    Recipe recipe(ConfigReader::parse(json, origin));
    const ConfigReader& file = recipe.file;
    file.refuse_unknown({"about", "stage", "seed", "input", "output", "samples", "batch", "learning_rate", "optimizer",
                         "precision", "threads", "report_every", "save_every", "picture_every", "data", "model",
                         "losses", "checkpoint", "micro_batch"});
    recipe.stage = stage_of(file);
    recipe.stage_name = file.text("stage");
    recipe.seed = static_cast<std::uint64_t>(file.integer_or("seed", 1, 0, std::int64_t{1} << 62));
    recipe.input = file.text_or("input", "");
    recipe.output = file.text("output");
    if (recipe.output.empty()) file.refuse("output", "is empty");
    recipe.samples = file.integer("samples", 1, kMaxSamples);
    recipe.batch = file.integer("batch", 1, kMaxBatch);
    recipe.learning_rate = read_learning_rate(file, recipe.samples);
    recipe.optimizer = read_optimizer(file);
    if (file.has("precision")) recipe.bf16 = file.choice("precision", {"float32", "bf16"}) == "bf16";
    if (file.has("checkpoint") && recipe.stage != StageKind::Base && recipe.stage != StageKind::Adapter)
        file.refuse("checkpoint", "is for the stages base and adapter alone");
    recipe.checkpoint = file.boolean_or("checkpoint", false);
    recipe.micro_batch = file.integer_or("micro_batch", recipe.batch, 1, recipe.batch);
    recipe.threads = static_cast<int>(file.integer_or("threads", 1, 1, 256));
    recipe.report_every = file.integer_or("report_every", recipe.batch * 20, 1, kMaxSamples);
    recipe.save_every = file.integer_or("save_every", recipe.batch * 500, 1, kMaxSamples);
    recipe.picture_every = file.integer_or("picture_every", 0, 0, kMaxSamples);
    recipe.fingerprint = formats::sha256_hex(json);
    return recipe;
}

}  // namespace mirror::engine::training
