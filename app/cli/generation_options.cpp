#include "app/cli/generation_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>

#include "app/cli/command.h"
#include "app/cli/option_values.h"
#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/session/builtin_model.h"

namespace mirror::cli {

namespace {

constexpr int kFramesStep = 8;

template <typename Word>
Word one_of(const std::string& option, const std::string& text, std::initializer_list<Word> words) {
    std::string listed;
    for (const Word word : words) {
        if (text == to_text(word)) return word;
        listed += (listed.empty() ? "" : ", ") + std::string(to_text(word));
    }
    throw UsageError(option + " wants one of " + listed + ", not '" + escape_for_message(text) + "'");
}

// In small letters.
std::string extension_of(const std::string& file) {
    std::string extension = std::filesystem::path(file).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return extension;
}

void add_negative(CLI::App& command, GenerationOptions& options) {
    add_value(command, "--negative", "What is not wanted",
              [&options](const std::string& text) { options.negative = utf8_value("--negative", text); });
}

void add_output(CLI::App& command, GenerationOptions& options, OutputKind kind) {
    add_value(command, "-o,--output", kind == OutputKind::Image ? "The picture (PNG)" : "The video (MP4)",
              [&options](const std::string& text) { options.output = text; })
        ->required();
}

void add_what(CLI::App& command, GenerationOptions& options, OutputKind kind) {
    add_values(command, "--reference",
               "A photograph of the person; give it again for more of the same person (up to 4)", options.references);
    add_value(command, "--face", "Which face, counted from 1, if a photograph has several",
              [&options](const std::string& text) {
                  options.face = static_cast<int>(integer_value("--face", text, 1, limits::kMaxFaces));
              });
    add_value(command, "--prompt", "What the person does: \"a woman img smiles\"", [&options](const std::string& text) {
        options.prompt = utf8_value("--prompt", text);
    })->required();
    add_negative(command, options);
    add_output(command, options, kind);
    add_value(command, "--latents", "Where the denoised latents go, before they are decoded",
              [&options](const std::string& text) { options.latents = text; });
    add_value(command, "--preview-dir", "A folder for small previews of every step (PNG)",
              [&options](const std::string& text) { options.preview_folder = text; });
}

void add_which_model(CLI::App& command, GenerationOptions& options) {
    add_value(command, "--model", "A checkpoint folder", [&options](const std::string& text) { options.model = text; });
    add_value(command, "--method", "magic-mirror or none", [&options](const std::string& text) {
        options.method = one_of("--method", text, {Method::MagicMirror, Method::None});
    });
    add_value(command, "--adapter", "An adapter file, or the index of its shards (DIR/adapter)",
              [&options](const std::string& text) { options.adapter = text; });
    add_value(command, "--device", "cpu, cuda or cuda:N (cpu)",
              [&options](const std::string& text) { options.device = device_value("--device", text); });
    add_value(command, "--precision", "fp32 or bf16 (fp32 on the CPU, bf16 on a GPU)",
              [&options](const std::string& text) { options.precision = precision_value("--precision", text); });
    add_value(command, "--budget", "How much memory the run may use, such as 8GiB",
              [&options](const std::string& text) { options.budget = bytes_value("--budget", text); });
}

void add_how(CLI::App& command, GenerationOptions& options, OutputKind kind) {
    if (kind == OutputKind::Video)
        add_value(command, "--frames", "8N+1, or 16N+1 with a 1.5 model (the model's own length)",
                  [&options](const std::string& text) { options.frames = frames_value("--frames", text); });
    add_value(command, "--size", "WIDTHxHEIGHT, divisible by 16 (the model's own size)",
              [&options](const std::string& text) { options.size = size_value("--size", text); });
    add_value(command, "--steps", "1 to 1000 (the model's own, else 50)", [&options](const std::string& text) {
        options.steps = static_cast<int>(integer_value("--steps", text, 1, limits::kMaxSteps));
    });
    add_value(command, "--guidance", "0 to 100 (the model's own, else 6)", [&options](const std::string& text) {
        options.guidance = number_value("--guidance", text, 0, limits::kMaxGuidance);
    });
    add_value(command, "--seed", "0 to 2^64-1 (0)",
              [&options](const std::string& text) { options.seed = unsigned_value("--seed", text); });
    add_value(command, "--identity-strength", "X from 0 to 1.5, or X:FIRST-LAST for those steps only (1)",
              [&options](const std::string& text) { options.strength = strength_value("--identity-strength", text); });
    add_value(command, "--dynamic-guidance", "timestep, step or off (timestep with dpm, off with ddim)",
              [&options](const std::string& text) {
                  options.dynamic_guidance =
                      one_of("--dynamic-guidance", text,
                             {DynamicGuidance::Timestep, DynamicGuidance::Step, DynamicGuidance::Off});
              });
}

// What would mean nothing is refused. References may stay: whoever compares both methods changes one word.
void check_method(const GenerationOptions& options) {
    if (options.method != Method::None) return;
    const std::array<std::pair<bool, const char*>, 3> of_the_person{
        {{!options.adapter.empty(), "--adapter"},
         {options.face.has_value(), "--face"},
         {options.strength.has_value(), "--identity-strength"}}};
    for (const auto& [given, name] : of_the_person)
        if (given) throw UsageError(std::string(name) + " means nothing with --method none");
}

}  // namespace

int frames_value(const std::string& option, const std::string& text) {
    const auto frames = integer_value(option, text, 1, limits::kMaxFrames);
    if (frames % kFramesStep != 1) throw UsageError(option + " wants 8N+1 frames, not " + std::to_string(frames));
    return static_cast<int>(frames);
}

Precision precision_value(const std::string& option, const std::string& text) {
    return one_of(option, text, {Precision::Fp32, Precision::Bf16});
}

void add_generation_options(CLI::App& command, GenerationOptions& options, OutputKind kind) {
    add_what(command, options, kind);
    add_which_model(command, options);
    add_how(command, options, kind);
    add_switch(command, "--json", "Report progress and the result as one JSON object a line", options.json);
}

void add_story_options(CLI::App& command, GenerationOptions& options) {
    add_negative(command, options);
    add_output(command, options, OutputKind::Video);
    add_which_model(command, options);
    add_how(command, options, OutputKind::Video);
    add_switch(command, "--json", "Report progress and the result as one JSON object a line", options.json);
}

void add_demo_options(CLI::App& command, GenerationOptions& options) {
    add_which_model(command, options);
    add_how(command, options, OutputKind::Video);
}

std::filesystem::path model_folder(const std::string& given) {
    if (!given.empty() && given != engine::kBuiltinModel) return given;
    if (const auto builtin = engine::find_builtin_model()) return *builtin;
    throw EngineError(
        ErrorCode::MissingFile,
        "no model is installed: give a checkpoint folder with --model DIR (models init makes one to try)");
}

GenerationRequest model_defaults(const GenerationOptions& options, const std::filesystem::path& folder,
                                 const engine::ModelInfo& model) {
    check_method(options);
    GenerationRequest request;
    request.model = folder;
    request.adapter = options.adapter;
    request.method = options.method;
    request.video = model.video;
    request.sampling.sampler = model.sampler;
    request.sampling.steps = model.steps;
    request.sampling.guidance = model.guidance;
    request.sampling.dynamic_guidance = options.dynamic_guidance.value_or(model.dynamic_guidance);
    request.device = options.device;
    request.precision = options.precision.value_or(options.device == "cpu" ? Precision::Fp32 : Precision::Bf16);
    request.memory_budget = options.budget;
    return request;
}

void override_shot(const GenerationOptions& options, GenerationRequest& shot) {
    if (options.size) std::tie(shot.video.width, shot.video.height) = *options.size;
    if (options.negative) shot.prompt.negative = *options.negative;
    shot.video.frames = options.frames.value_or(shot.video.frames);
    shot.sampling.steps = options.steps.value_or(shot.sampling.steps);
    shot.sampling.guidance = options.guidance.value_or(shot.sampling.guidance);
    shot.sampling.seed = options.seed.value_or(shot.sampling.seed);
    shot.identity = options.strength.value_or(shot.identity);
}

GenerationRequest make_request(const GenerationOptions& options, OutputKind kind, const engine::ModelInfo& model) {
    GenerationRequest request = model_defaults(options, options.model, model);
    request.kind = kind;
    request.prompt.positive = options.prompt;
    override_shot(options, request);
    if (kind == OutputKind::Image) request.video.frames = 1;
    if (request.video.frames > 1 && request.video.frames % model.frames_step != 1)
        throw UsageError("--frames wants " + std::to_string(model.frames_step) + "N+1 frames with this model, not " +
                         std::to_string(request.video.frames));
    if (options.method != Method::None)
        for (const std::string& file : options.references) request.references.push_back({file, options.face});
    if (const Status status = check_request(request); !status) throw UsageError(status.error().detail);
    return request;
}

OutputKind output_kind(const std::string& output) {
    return extension_of(output) == ".png" ? OutputKind::Image : OutputKind::Video;
}

void check_output_name(const std::string& output, OutputKind kind) {
    const std::string wanted = kind == OutputKind::Image ? ".png" : ".mp4";
    const std::string extension = extension_of(output);
    if (!extension.empty() && extension != wanted)
        throw UsageError("--output wants a name that ends in " + wanted + ", not '" + escape_for_message(output) + "'");
}

}  // namespace mirror::cli
