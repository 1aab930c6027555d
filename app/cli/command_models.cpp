// models: what is installed, what is in a folder, whether it is whole, published parts taken over, and random ones.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <system_error>

#include "app/cli/command.h"
#include "app/cli/model_reports.h"
#include "app/cli/option_values.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/face_reader.h"
#include "engine/session/builtin_model.h"
#include "engine/session/identify_file.h"
#include "engine/session/import_identity.h"
#include "engine/session/model_info.h"
#include "engine/session/random_checkpoint.h"
#include "engine/session/verify_model.h"

namespace mirror::cli {

namespace {

// Those of MAGIC_MIRROR_MODELS, separated by colons, otherwise the one for this user's data.
std::vector<std::filesystem::path> default_roots() {
    if (const char* chosen = std::getenv("MAGIC_MIRROR_MODELS"); chosen != nullptr && *chosen != '\0') {
        std::vector<std::filesystem::path> roots;
        std::istringstream folders(chosen);
        for (std::string folder; std::getline(folders, folder, ':');)
            if (!folder.empty()) roots.emplace_back(folder);
        return roots;
    }
    if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
        return {std::filesystem::path(data) / "magic-mirror" / "models"};
    const char* home = std::getenv("HOME");
    return {std::filesystem::path(home != nullptr ? home : "/") / ".local" / "share" / "magic-mirror" / "models"};
}

struct ReportOptions {
    std::string path;
    std::vector<std::string> roots;
    bool json = false;
};

std::vector<std::filesystem::path> models_in(const std::filesystem::path& root) {
    std::vector<std::filesystem::path> folders;
    std::error_code error;
    std::filesystem::directory_iterator entry(root, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        if (is_model_folder(entry->path())) folders.push_back(entry->path());
    std::sort(folders.begin(), folders.end());
    return folders;
}

void list_models(const ReportOptions& options, Invocation& invocation) {
    Console& console = invocation.console;
    std::vector<std::filesystem::path> roots(options.roots.begin(), options.roots.end());
    if (roots.empty()) roots = default_roots();
    const auto networks = face::find_networks();
    std::vector<std::filesystem::path> folders;
    for (const auto& root : roots) {
        const auto found = models_in(root);
        folders.insert(folders.end(), found.begin(), found.end());
    }
    if (const auto builtin = engine::find_builtin_model(); builtin && options.roots.empty())
        folders.push_back(*builtin);
    for (const auto& folder : folders) {
        const ModelReport report = report_model(folder, networks);
        options.json ? console.event(model_json(report)) : console.print_line(model_line(report));
    }
    if (folders.empty() && !options.json) {
        std::string searched;
        for (const auto& root : roots) searched += (searched.empty() ? "" : ", ") + escape_for_message(root);
        console.print_line("No model is installed in " + searched +
                           ". Give a checkpoint folder with --model DIR, or make one with models init.");
    }
    for (const auto& network : networks)
        options.json ? console.event(network_json(network)) : console.print_line(network_line(network));
}

void show_model(const ReportOptions& options, Invocation& invocation) {
    const ModelReport report = report_model(options.path, face::find_networks());
    if (report.unusable) throw EngineError(*report.unusable);
    if (options.json) return invocation.console.event(model_json(report));
    for (const std::string& line : model_lines(report)) invocation.console.print_line(line);
}

// What one file is and its checksum, to be compared with the one that its publisher names.
engine::FileFormat report_identity(const ReportOptions& options, Console& console) {
    const auto identity = value_or_throw(engine::identify_file(options.path));
    if (options.json) {
        console.event(identity_json(options.path, identity));
    } else {
        for (const std::string& line : identity_lines(identity)) console.print_line(line);
    }
    return identity.format;
}

void verify(const ReportOptions& options, Invocation& invocation) {
    Console& console = invocation.console;
    std::error_code error;
    const bool is_index = options.path.ends_with(".safetensors.index.json");
    if (std::filesystem::is_regular_file(options.path, error) && !is_index &&
        report_identity(options, console) != engine::FileFormat::Safetensors)
        return;
    const auto faces = face::make_face_reader();
    const auto parts = value_or_throw(engine::verify_model(options.path, *faces, invocation.stop));
    if (options.json) return console.event(parts_json(options.path, parts));
    for (const auto& part : parts) {
        console.print_line(part_line(part));
        if (!part.unread.empty())
            console.warn(part.name + " has " + std::to_string(part.unread.size()) +
                         " tensors without use, the first is '" + escape_for_message(part.unread.front()) + "'");
    }
    console.print_line("Everything is there and finite.");
}

struct ImportOptions {
    std::string file;
    std::string folder;
};

void import_parts(const ImportOptions& options, Invocation& invocation) {
    const auto parts = value_or_throw(engine::import_photomaker(options.file, options.folder, invocation.stop));
    for (const auto& part : parts) invocation.console.print_line(part_line(part));
    invocation.console.print_line("Wrote " + escape_for_message(options.folder, 4096) +
                                  ". These parts understand the face recogniser " + engine::kPhotoMakerIdPack +
                                  " and no other.");
}

struct InitOptions {
    std::string preset;
    std::uint64_t seed = 0;
    std::string folder;
};

std::string listed_presets() {
    std::string listed;
    for (const std::string& preset : engine::checkpoint_presets()) listed += (listed.empty() ? "" : ", ") + preset;
    return listed;
}

std::string preset_value(const std::string& text) {
    const auto presets = engine::checkpoint_presets();
    if (std::find(presets.begin(), presets.end(), text) != presets.end()) return text;
    throw UsageError("--preset wants one of " + listed_presets() + ", not '" + escape_for_message(text) + "'");
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

using Report = void (*)(const ReportOptions&, Invocation&);

// `path` describes what the command looks at; empty: nothing is named.
void add_report(CLI::App& models, Action& chosen, const std::string& name, const std::string& help,
                const std::string& path, Report run) {
    CLI::App* command = models.add_subcommand(name, help);
    const auto options = std::make_shared<ReportOptions>();
    if (!path.empty())
        add_value(*command, "path", path, [options](const std::string& text) { options->path = text; })->required();
    else
        add_values(*command, "--root", "A folder of models instead of those; give it again for more", options->roots);
    add_switch(*command, "--json", "JSON objects, one a line", options->json);
    command->callback([options, run, &chosen] {
        chosen = [options, run](Invocation& invocation) {
            invocation.json = options->json;
            run(*options, invocation);
        };
    });
}

void add_init(CLI::App& models, Action& chosen) {
    CLI::App* command = models.add_subcommand("init", "Make a checkpoint with random weights, to try every path");
    const auto options = std::make_shared<InitOptions>();
    add_value(*command, "--preset", "Sizes: " + listed_presets(), [options](const std::string& text) {
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

void add_import(CLI::App& models, Action& chosen) {
    CLI::App* command =
        models.add_subcommand("import", "Take the identity parts out of PhotoMaker V2's photomaker-v2.bin");
    const auto options = std::make_shared<ImportOptions>();
    add_value(*command, "file", "The published file; nothing of it is executed", [options](const std::string& text) {
        options->file = text;
    })->required();
    add_value(*command, "-o,--output", "A checkpoint folder that gets image_encoder/ and id_perceiver/",
              [options](const std::string& text) { options->folder = text; })
        ->required();
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { import_parts(*options, invocation); }; });
}

}  // namespace

void add_models_command(CLI::App& program, Action& chosen) {
    CLI::App* models = program.add_subcommand("models", "What is installed, what is in a folder, and random ones");
    models->require_subcommand(1);
    add_report(*models, chosen, "list",
               "The models in the folders of MAGIC_MIRROR_MODELS (a:b), or among your data, and face networks", {},
               list_models);
    add_report(*models, chosen, "info", "What a checkpoint folder holds and what it lacks", "A checkpoint folder",
               show_model);
    add_report(*models, chosen, "verify", "Whether a checkpoint folder is whole, or what a file is",
               "A checkpoint folder or any file of a model", verify);
    add_import(*models, chosen);
    add_init(*models, chosen);
}

}  // namespace mirror::cli
