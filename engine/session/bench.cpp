#include "engine/session/bench.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <sys/resource.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <memory>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/core/result.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/session/activation_sizes.h"
#include "engine/session/bench_weights.h"
#include "engine/session/checkpoint_preset.h"
#include "engine/session/memory_plan.h"
#include "engine/session/model_folder.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {

namespace {

using Run = std::function<at::Tensor()>;

struct PreparedStage {
    std::string what;
    double gflop = 0;
    Run run;
};

// Configurations of all stages, and where their weights come from.
struct BenchModel {
    cogvideox::TransformerConfig transformer;
    T5Config text_encoder;
    VaeConfig vae;
    magic_mirror::AdapterConfig adapter;
    Precision precision = Precision::Bf16;
    std::shared_ptr<const ModelFolder> folder;  // Null: random weights.
};

magic_mirror::AdapterConfig adapter_for(const cogvideox::TransformerConfig& transformer,
                                        magic_mirror::AdapterConfig adapter) {
    adapter.dit.num_layers = transformer.num_layers;
    adapter.dit.num_attention_heads = transformer.num_attention_heads;
    adapter.dit.attention_head_dim = transformer.attention_head_dim;
    adapter.dit.time_embed_dim = transformer.time_embed_dim;
    adapter.dit.text_embed_dim = transformer.text_embed_dim;
    return adapter;
}

BenchModel model_of(const BenchRequest& request, at::Device device, std::stop_token stop) {
    BenchModel model;
    if (request.model.empty()) {
        const CheckpointPreset preset = CheckpointPreset::find(request.preset);
        const auto config = [&](const std::string& file) { return ConfigReader::parse(preset.files.at(file), file); };
        model.transformer = cogvideox::read_transformer_config(config("transformer/config.json"));
        model.text_encoder = T5Config::read(config("text_encoder/config.json"));
        model.vae = VaeConfig::read(config("vae/config.json"));
        model.adapter = preset.adapter;
        model.precision = request.precision.value_or(preset.precision);
    } else {
        model.precision = request.precision.value_or(Precision::Bf16);
        const Placement placement{dtype_of(model.precision), device, LayersHeld::All};
        const ModelFolder folder(request.model, placement, WeightCheck::None, std::move(stop));
        model.transformer = folder.transformer_config();
        model.text_encoder = folder.text_encoder_config();
        model.vae = folder.vae_config();
        if (!request.random_weights) model.folder = std::make_shared<const ModelFolder>(folder);
    }
    if (request.layers > 0) {
        model.transformer.num_layers = std::min<std::int64_t>(model.transformer.num_layers, request.layers);
        model.text_encoder.num_layers = std::min<std::int64_t>(model.text_encoder.num_layers, request.layers);
    }
    model.adapter = adapter_for(model.transformer, model.adapter);
    return model;
}

std::string text_of(std::initializer_list<std::int64_t> numbers, std::initializer_list<const char*> words) {
    std::string text;
    auto word = words.begin();
    for (const std::int64_t number : numbers) {
        text += std::to_string(number);
        if (word != words.end()) text += *word++;
    }
    return text;
}

// Builds one stage at a time.
class Stages {
public:
    Stages(const BenchRequest& request, BenchModel model, const Placement& placement)
        : model_(std::move(model)), placement_(placement) {
        const std::int64_t cell = model_.vae.spatial_compression();
        const std::int64_t depth = model_.transformer.patch_size_t.value_or(1);
        frames_ = (request.frames - 1) / model_.vae.temporal_compression_ratio + 1;
        padded_frames_ = (frames_ + depth - 1) / depth * depth;
        height_ = request.height / cell;
        width_ = request.width / cell;
        const std::int64_t patch = model_.transformer.patch_size;
        video_rows_ = padded_frames_ / depth * (height_ / patch) * (width_ / patch);
        if (request.height % (cell * patch) != 0 || request.width % (cell * patch) != 0)
            throw EngineError(ErrorCode::InvalidRequest,
                              "The size " + std::to_string(request.width) + "x" + std::to_string(request.height) +
                                  " is not divisible by " + std::to_string(cell * patch) + ", which this model needs.");
    }

    // What the stage needs at its peak, from sizes alone.
    StageMemory memory(const std::string& stage) const {
        const auto& config = model_.transformer;
        const auto width = static_cast<std::uint64_t>(config.inner_dim());
        const DenoiserShape shape{1, static_cast<std::uint64_t>(rows()), width,
                                  static_cast<std::uint64_t>(config.max_text_seq_length)};
        const std::uint64_t value = c10::elementSize(placement_.dtype);
        StageMemory memory;
        if (stage == "linear") {
            memory.weights = 4 * width * width * value;
            memory.activations = 5 * shape.tokens * width * value;
        } else if (stage == "attention") {
            memory.activations = 7 * shape.tokens * width * value;  // Queries, keys, values, drawn in float32.
        } else if (stage == "t5") {
            add_weights<T5Encoder>(memory, model_.text_encoder);
            memory.activations = t5_activations(model_.text_encoder, shape.text_tokens, placement_);
        } else if (stage == "vae-decode") {
            add_weights<CogVideoXVae>(memory, model_.vae, VaeParts::DecoderOnly);
            memory.activations = decoder_activations(model_.vae, static_cast<std::uint64_t>(frames_),
                                                     static_cast<std::uint64_t>(height_),
                                                     static_cast<std::uint64_t>(width_), placement_);
        } else {
            add_weights<cogvideox::Transformer>(memory, config);
            memory.activations = transformer_activations(shape, placement_);
            if (stage == "dit-step") return memory;
            add_weights<magic_mirror::CrossModalAdapter>(memory, model_.adapter);
            memory.activations = adapted_activations(
                shape, static_cast<std::uint64_t>(model_.adapter.perceiver_face.tokens), placement_);
        }
        return memory;
    }

    PreparedStage prepare(const std::string& stage) const {
        if (stage == "linear") return linear();
        if (stage == "attention") return attend();
        if (stage == "t5") return text_encoder();
        if (stage == "dit-step") return step();
        if (stage == "magic-mirror-step") return step_with_person();
        if (stage == "vae-decode") return decode();
        throw EngineError(ErrorCode::InvalidRequest, "There is no stage " + stage + ".");
    }

private:
    // What the model asks for, read or drawn tensor by tensor.
    template <typename Model, typename... Config>
    void add_weights(StageMemory& memory, const Config&... config) const {
        const auto recorder = std::make_shared<ShapeRecorder>();
        const Model model(WeightScope(recorder, placement_), config...);
        for (const ShapeRecorder::Entry& entry : recorder->entries()) {
            const auto count = static_cast<std::uint64_t>(c10::multiply_integers(entry.shape));
            memory.weights += count * c10::elementSize(placement_.dtype);
            memory.cast = std::max<std::uint64_t>(memory.cast, count * sizeof(float));
        }
    }

    WeightScope weights(const std::string& part) const {
        if (model_.folder) return {model_.folder->store(part), placement_};
        return {std::make_shared<RandomWeights>(1, placement_.device), placement_};
    }

    std::int64_t rows() const { return model_.transformer.max_text_seq_length + video_rows_; }

    at::Tensor input(at::IntArrayRef shape, std::uint64_t seed) const { return random_input(shape, seed, placement_); }

    // The feed-forward's first layer, which has the largest weight.
    PreparedStage linear() const {
        const std::int64_t width = model_.transformer.inner_dim();
        const auto layer = std::make_shared<const Linear>(
            WeightScope(std::make_shared<RandomWeights>(1, placement_.device), placement_), width, 4 * width);
        const at::Tensor x = input({1, rows(), width}, 2);
        return {text_of({rows(), width, 4 * width}, {" rows, ", " to ", " wide"}),
                8e-9 * static_cast<double>(rows() * width * width), [layer, x] { return (*layer)(x); }};
    }

    PreparedStage attend() const {
        const std::int64_t heads = model_.transformer.num_attention_heads;
        const std::int64_t size = model_.transformer.attention_head_dim;
        const at::Tensor q = split_heads(input({1, rows(), heads * size}, 2), heads);
        const at::Tensor k = split_heads(input({1, rows(), heads * size}, 3), heads);
        const at::Tensor v = split_heads(input({1, rows(), heads * size}, 4), heads);
        return {text_of({heads, size, rows()}, {" heads of ", ", ", " rows"}),
                4e-9 * static_cast<double>(rows() * rows() * heads * size), [q, k, v] { return attention(q, k, v); }};
    }

    PreparedStage text_encoder() const {
        const auto encoder = std::make_shared<const T5Encoder>(weights("text_encoder"), model_.text_encoder);
        const std::int64_t tokens = model_.transformer.max_text_seq_length;
        const at::Tensor ids = at::arange(tokens, at::TensorOptions(at::kLong).device(placement_.device)).unsqueeze(0) %
                               model_.text_encoder.vocab_size;
        return {text_of({model_.text_encoder.num_layers, tokens}, {" layers, ", " tokens"}), 0,
                [encoder, ids] { return (*encoder)(ids); }};
    }

    std::shared_ptr<const cogvideox::Transformer> transformer() const {
        return std::make_shared<const cogvideox::Transformer>(weights("transformer"), model_.transformer);
    }

    cogvideox::TransformerInput step_input() const {
        const auto& config = model_.transformer;
        cogvideox::TransformerInput call;
        call.hidden_states = input({1, padded_frames_, config.in_channels, height_, width_}, 2);
        call.encoder_hidden_states = input({1, config.max_text_seq_length, config.text_embed_dim}, 3);
        call.timestep = at::full({1}, 499, at::TensorOptions(at::kLong).device(placement_.device));
        return call;
    }

    std::string step_text() const {
        return text_of({model_.transformer.num_layers, model_.transformer.max_text_seq_length, video_rows_},
                       {" layers, ", " + ", " rows"});
    }

    PreparedStage step() const {
        const auto model = transformer();
        const auto call = step_input();
        return {step_text(), 0, [model, call] { return model->forward(call); }};
    }

    // The same step with the adapter, whose weights are always random.
    PreparedStage step_with_person() const {
        namespace mm = magic_mirror;
        const auto model = transformer();
        const auto call = step_input();
        const auto& config = model_.adapter;
        const WeightScope scope(std::make_shared<RandomWeights>(5, placement_.device), placement_);
        const auto adapter = std::make_shared<const mm::CrossModalAdapter>(scope, config);
        const at::Tensor id = input({1, config.perceiver_id.tokens, config.perceiver_id.width}, 6);
        const at::Tensor face = input({1, config.perceiver_face.tokens, config.dit.width()}, 7);
        const mm::Conditioning person = mm::make_conditioning(*adapter, id, face);
        const std::string what = step_text() + ", " + std::to_string(config.perceiver_face.tokens) + " face rows, " +
                                 std::to_string(config.adapted_layers().size()) + " layers adapted";
        return {what, 0, [model, call, adapter, person] {
                    mm::MagicMirrorHook hook(*adapter, person, mm::Strength{});
                    const std::array<BlockHook*, 1> hooks{&hook};
                    return model->forward(call, hooks);
                }};
    }

    PreparedStage decode() const {
        const auto vae = std::make_shared<const CogVideoXVae>(weights("vae"), model_.vae, VaeParts::DecoderOnly);
        const at::Tensor latents = input({1, model_.vae.latent_channels, frames_, height_, width_}, 2);
        const std::int64_t cell = model_.vae.spatial_compression();
        return {text_of({frames_, cell * width_, cell * height_}, {" latent frames, ", "x", ""}), 0,
                [vae, latents] { return vae->decode(latents); }};
    }

    BenchModel model_;
    Placement placement_;
    std::int64_t frames_ = 0;  // Of latents.
    std::int64_t padded_frames_ = 0;
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::int64_t video_rows_ = 0;
};

// A number of the result, which is there only once the device has finished.
void wait_for(const at::Tensor& result) {
    if (!result.is_cpu()) static_cast<void>(result.flatten()[0].to(at::kCPU));
}

std::vector<double> time_runs(const Run& run, int repeats, const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> seconds;
    for (int i = -1; i < repeats; ++i) {
        if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "Stopped.");
        const auto start = Clock::now();
        wait_for(run());
        if (i >= 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    return seconds;
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name")) return line.substr(std::min(line.find(':') + 2, line.size()));
    return "unknown";
}

std::uint64_t peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
}

}  // namespace

double StageTiming::median() const {
    if (seconds.empty()) return 0;
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const std::vector<std::string>& bench_stages() {
    static const std::vector<std::string> stages{"linear",   "attention",         "t5",
                                                 "dit-step", "magic-mirror-step", "vae-decode"};
    return stages;
}

BenchMachine run_bench(const BenchRequest& request, const std::function<void(const StageTiming&)>& report,
                       std::stop_token stop) {
    const at::Device device = device_from_text(request.device);
    fix_numerics();
    if (request.threads > 0) at::set_num_threads(request.threads);
    const c10::InferenceMode inference;
    BenchModel model = model_of(request, device, stop);
    const Precision precision = model.precision;
    const Stages stages(request, std::move(model), {dtype_of(precision), device, LayersHeld::All});
    std::vector<std::string> wanted = bench_stages();
    if (!request.stages.empty())
        std::erase_if(wanted, [&](const std::string& name) {
            return std::find(request.stages.begin(), request.stages.end(), name) == request.stages.end();
        });
    for (const std::string& name : wanted)  // All before the first.
        plan_stage(stages.memory(name), available_memory(device, 0, 0), Keeping::Nothing);
    for (const std::string& name : wanted) {
        const PreparedStage stage = stages.prepare(name);
        report({name, stage.what, time_runs(stage.run, request.repeats, stop), stage.gflop});
    }
    return {processor_name(), request.device,        precision == Precision::Bf16 ? "bf16" : "fp32",
            TORCH_VERSION,    at::get_num_threads(), peak_mib()};
}

}  // namespace mirror::engine
