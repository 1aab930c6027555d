// models: what is installed, what is in a folder, whether it is whole, and random ones for trying.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "app/cli/command.h"
#include "app/cli/option_values.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/session/model_info.h"
#include "engine/session/random_checkpoint.h"
#include "engine/session/verify_model.h"

namespace mirror::cli {

namespace {

std::filesystem::path models_root() {
    if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
        return std::filesystem::path(data) / "magic-mirror" / "models";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home != nullptr ? home : "/") / ".local" / "share" / "magic-mirror" / "models";
}

std::string part_text(const engine::PartReport& part) {
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), "%-14.60s %6llu tensors %14llu parameters %10.1f MiB", part.name.c_str(),
                  static_cast<unsigned long long>(part.tensors), static_cast<unsigned long long>(part.parameters),
                  static_cast<double>(part.bytes) / (1 << 20));
    return text.data();
}

void list_models(Invocation& invocation) {
    const auto root = models_root();
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator entry(root, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        if (engine::read_model_info(entry->path()).ok()) names.push_back(entry->path().string());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) invocation.console.print_line(name);
    if (names.empty())
        invocation.console.print_line("No model is installed in " + escape_for_message(root) +
                                      ". Give a checkpoint folder with --model DIR, or make one with models init.");
}

void show_model(const std::string& folder, Invocation& invocation) {
    const auto info = value_or_throw(engine::read_model_info(folder));
    const auto parts = value_or_throw(engine::describe_model(folder));
    Console& console = invocation.console;
    const VideoSpec& video = info.video;
    console.print_line("made for       " + std::to_string(video.frames) + " frames of " + std::to_string(video.width) +
                       "x" + std::to_string(video.height) + " at " + std::to_string(video.rate.numerator) +
                       " a second");
    console.print_line("starts from    " + std::string(info.takes_image ? "an image and a text" : "a text"));
    console.print_line("text           " + std::to_string(info.text_tokens) + " tokens");
    console.print_line("sampler        " + std::string(to_text(info.sampler)) + ", dynamic guidance " +
                       to_text(info.dynamic_guidance));
    console.print_line("weights        " +
                       std::string(info.random_weights ? "random: pictures will be noise" : "trained"));
    for (const auto& part : parts) console.print_line(part_text(part));
}

void verify(const std::string& path, Invocation& invocation) {
    const auto parts = value_or_throw(engine::verify_model(path, invocation.stop));
    for (const auto& part : parts) {
        invocation.console.print_line(part_text(part));
        if (!part.unread.empty())
            invocation.console.warn(part.name + " has " + std::to_string(part.unread.size()) +
                                    " tensors without use, the first is '" + escape_for_message(part.unread.front()) +
                                    "'");
    }
    invocation.console.print_line("Everything is there and finite.");
}

struct InitOptions {
    std::string preset;
    std::uint64_t seed = 0;
    std::string folder;
};

std::string preset_value(const std::string& text) {
    std::string listed;
    for (const std::string& preset : engine::checkpoint_presets()) {
        if (preset == text) return text;
        listed += (listed.empty() ? "" : ", ") + preset;
    }
    throw UsageError("--preset wants one of " + listed + ", not '" + escape_for_message(text) + "'");
}

void init(const InitOptions& options, Invocation& invocation) {
    Console& console = invocation.console;
    engine::CheckpointWatch watch;
    watch.stop = invocation.stop;
    watch.progress = [&console](double fraction) {
        console.show_progress({Stage::Write, static_cast<int>(fraction * 100), 100, -1});
    };
    value_or_throw(engine::init_checkpoint(options.preset, options.seed, options.folder, watch));
    console.clear_progress();
    console.print_line("Wrote " + escape_for_message(options.folder, 4096) + " (preset " + options.preset + ", seed " +
                       std::to_string(options.seed) + "). The weights are random: pictures will be noise.");
}

void add_path_command(CLI::App& models, Action& chosen, const std::string& name, const std::string& help,
                      void (*run)(const std::string&, Invocation&)) {
    CLI::App* command = models.add_subcommand(name, help);
    const auto path = std::make_shared<std::string>();
    add_value(*command, "path", "A checkpoint folder", [path](const std::string& text) { *path = text; })->required();
    command->callback(
        [path, run, &chosen] { chosen = [path, run](Invocation& invocation) { run(*path, invocation); }; });
}

void add_init(CLI::App& models, Action& chosen) {
    CLI::App* command = models.add_subcommand("init", "Make a checkpoint with random weights, to try every path");
    const auto options = std::make_shared<InitOptions>();
    add_value(*command, "--preset", "Sizes: tiny, demo or cogvideox-5b", [options](const std::string& text) {
        options->preset = preset_value(text);
    })->required();
    add_value(*command, "--seed", "0 to 2^64-1 (0)",
              [options](const std::string& text) { options->seed = unsigned_value("--seed", text); });
    add_value(*command, "folder", "An absent or empty folder", [options](const std::string& text) {
        options->folder = text;
    })->required();
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { init(*options, invocation); }; });
}

}  // namespace

void add_models_command(CLI::App& program, Action& chosen) {
    CLI::App* models = program.add_subcommand("models", "What is installed, what is in a folder, and random ones");
    models->require_subcommand(1);
    models->add_subcommand("list", "The installed models")->callback([&chosen] { chosen = list_models; });
    add_path_command(*models, chosen, "info", "What a checkpoint folder holds", show_model);
    add_path_command(*models, chosen, "verify", "Whether a file or a checkpoint folder is whole", verify);
    add_init(*models, chosen);
}

}  // namespace mirror::cli
