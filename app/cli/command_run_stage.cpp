// run-stage: one stage on named tensors, for checks against other implementations.

#include <algorithm>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/generation_options.h"
#include "app/cli/option_values.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/session/run_stage.h"

namespace mirror::cli {

namespace {

// Any whole number: whether the stage can use it is the stage's business. Beyond 64 bits it is as impossible as 0.
std::int64_t any_integer(const std::string& option, const std::string& text) {
    const bool digits =
        !text.empty() && text.find_first_not_of("0123456789", text.front() == '-' ? 1 : 0) == std::string::npos;
    constexpr std::size_t kLongest = 18;
    if (digits && text.size() > kLongest) return -1;
    return integer_value(option, text, -1'000'000'000'000'000'000, 1'000'000'000'000'000'000);
}

SamplerKind sampler_value(const std::string& text) {
    if (text == "dpm") return SamplerKind::Dpm;
    if (text == "ddim") return SamplerKind::Ddim;
    throw UsageError("--sampler wants dpm or ddim, not '" + escape_for_message(text) + "'");
}

const engine::StageDescription& find_stage(const std::string& name) {
    const auto& stages = engine::stage_descriptions();
    const auto found =
        std::find_if(stages.begin(), stages.end(), [&](const auto& stage) { return stage.name == name; });
    if (found == stages.end()) throw UsageError("run-stage has no stage '" + escape_for_message(name) + "'");
    return *found;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Options that belong to some stages only, and those that a stage cannot do without.
void check_usage(const CLI::App& command, const engine::StageJob& job) {
    static const std::vector<std::string> everywhere{"--model", "--outputs", "--dtype", "--device", "--help"};
    const engine::StageDescription& stage = find_stage(job.stage);
    for (const CLI::Option* option : command.get_options()) {
        const std::string name = option->get_name();
        if (option->count() == 0 || !name.starts_with("--") || contains(everywhere, name)) continue;
        const bool known = name == "--inputs" ? stage.reads_inputs : contains(stage.options, name);
        if (!known) throw UsageError("run-stage " + stage.name + " has no option " + name);
    }
    const auto require = [&](const std::string& name) {
        if (command.get_option(name)->count() == 0) throw UsageError("run-stage " + stage.name + " needs " + name);
    };
    if (stage.reads_inputs) require("--inputs");
    if (stage.requires_adapter) require("--adapter");
    for (const std::string& name : stage.required_options) require(name);
    for (const std::string& text : job.options.switches)
        if (const auto sign = text.find('='); sign == 0 || sign == std::string::npos)
            throw UsageError("--set wants NAME=VALUE, not '" + escape_for_message(text) + "'");
    if (stage.name == "mm-tokenize" && job.options.texts.size() > 1)
        throw UsageError("run-stage mm-tokenize takes --text once");
}

void add_files(CLI::App& command, engine::StageJob& job) {
    add_value(command, "stage", "Which stage", [&job](const std::string& text) { job.stage = text; })->required();
    add_value(command, "--model", "A checkpoint folder", [&job](const std::string& text) {
        job.model = text;
    })->required();
    add_value(command, "--inputs", "A safetensors file", [&job](const std::string& text) { job.inputs = text; });
    add_value(command, "--outputs", "The safetensors file to write", [&job](const std::string& text) {
        job.outputs = text;
    })->required();
    add_value(command, "--adapter", "An adapter file, or the index of its shards",
              [&job](const std::string& text) { job.options.adapter = text; });
}

void add_numbers(CLI::App& command, engine::StageOptions& options) {
    add_value(command, "--max-length", "Tokens (226)",
              [&options](const std::string& text) { options.max_length = any_integer("--max-length", text); });
    add_value(command, "--references", "How many references the prompt has copies for (1)",
              [&options](const std::string& text) { options.references = any_integer("--references", text); });
    add_value(command, "--steps", "Steps (50)",
              [&options](const std::string& text) { options.steps = any_integer("--steps", text); });
    add_value(command, "--guidance", "Guidance (6)",
              [&options](const std::string& text) { options.guidance = number_value("--guidance", text); });
    add_value(command, "--frames", "How many frames were asked for",
              [&options](const std::string& text) { options.frames = any_integer("--frames", text); });
}

void add_choices(CLI::App& command, engine::StageOptions& options) {
    add_value(command, "--dtype", "fp32 or bf16 (fp32)",
              [&options](const std::string& text) { options.dtype = precision_value("--dtype", text); });
    add_value(command, "--device", "cpu, cuda or cuda:N (cpu)",
              [&options](const std::string& text) { options.device = device_value("--device", text); });
    add_value(command, "--sampler", "dpm or ddim (dpm)",
              [&options](const std::string& text) { options.sampler = sampler_value(text); });
    add_values(command, "--text", "A text; may be given again for tokenize", options.texts);
    add_values(command, "--set", "NAME=VALUE of one switch; may be given again", options.switches);
    add_value(command, "--id-pack", "Which recogniser made the embeddings",
              [&options](const std::string& text) { options.id_pack = text; });
    add_switch(command, "--allow-id-pack-mismatch", "Take an adapter made for another recogniser",
               options.allow_id_pack_mismatch);
    add_switch(command, "--tiling", "Cut large frames into tiles", options.tiling);
    add_switch(command, "--dynamic-cfg", "Dynamic guidance by the timestep", options.dynamic_cfg);
}

void run(const engine::StageJob& job, Invocation& invocation) {
    for (const std::string& text : job.options.texts) utf8_value("--text", text);
    for (const std::string& warning : value_or_throw(engine::run_stage(job, invocation.stop)))
        invocation.console.warn(warning);
}

}  // namespace

void add_run_stage_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("run-stage", "Run one stage on tensors from a file");
    const auto job = std::make_shared<engine::StageJob>();
    add_files(*command, *job);
    add_numbers(*command, job->options);
    add_choices(*command, job->options);
    command->callback([job, command, &chosen] {
        check_usage(*command, *job);
        chosen = [job](Invocation& invocation) { run(*job, invocation); };
    });
}

}  // namespace mirror::cli
