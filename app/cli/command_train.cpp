// train: runs one stage of training from a recipe.

#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/material_reader.h"
#include "app/cli/option_values.h"
#include "app/cli/run_observer.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/media/png_sink.h"
#include "engine/training/train.h"

namespace mirror::cli {

namespace {

namespace training = engine::training;

struct TrainOptions {
    std::string recipe;
    bool resume = false;
    std::optional<double> seconds;
    std::string device = "cpu";
    bool random_weights = false;
    bool json = false;
};

// "25m", "90s", "2h"; without a letter minutes.
double time_value(const std::string& option, const std::string& text) {
    double unit = 60;
    std::string digits = text;
    if (!text.empty() && (text.back() == 's' || text.back() == 'm' || text.back() == 'h')) {
        unit = text.back() == 's' ? 1 : text.back() == 'm' ? 60 : 3600;
        digits.pop_back();
    }
    return unit * number_value(option, digits, 0.0, 1e6);
}

nlohmann::ordered_json measures_json(const training::Measures& measures) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const auto& [name, value] : measures) object[name] = value;
    return object;
}

std::string measures_text(const training::Measures& measures) {
    std::string text;
    for (const auto& [name, value] : measures) {
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), "%.4g", value);
        text += (text.empty() ? "" : ", ") + name + " " + number.data();
    }
    return text;
}

std::string progress_line(const training::TrainingProgress& progress) {
    std::array<char, 96> numbers{};
    const int minutes = static_cast<int>(std::lround(progress.seconds_left / 60));
    std::snprintf(numbers.data(), numbers.size(), ", %.1f samples/s, %d min left", progress.samples_per_second,
                  minutes);
    return progress.stage + " " + std::to_string(progress.samples) + "/" + std::to_string(progress.of_samples) + ": " +
           measures_text(progress.measures) + numbers.data();
}

training::TrainingObserver observer_of(Console& console, bool json) {
    training::TrainingObserver observer;
    observer.tell = [&console, json](const training::TrainingProgress& progress) {
        if (!json) return console.print_line(progress_line(progress));
        nlohmann::ordered_json event = {{"event", "progress"},
                                        {"stage", progress.stage},
                                        {"samples", progress.samples},
                                        {"of_samples", progress.of_samples},
                                        {"measures", measures_json(progress.measures)},
                                        {"samples_per_second", progress.samples_per_second}};
        if (progress.seconds_left >= 0) event["seconds_left"] = std::round(progress.seconds_left);
        console.event(event.dump() + "\n");
    };
    observer.notice = [&console, json](const std::string& sentence) {
        if (json) console.event(warning_event(sentence));
        console.warn(sentence);
    };
    observer.write_picture = [](const std::filesystem::path& file, const Frame& picture) {
        value_or_throw(media::write_png(file, picture));
    };
    return observer;
}

void run_train(const TrainOptions& options, Invocation& invocation) {
    invocation.json = options.json;
    Console& console = invocation.console;
    if (options.random_weights && (options.resume || options.seconds))
        throw UsageError(
            "--random-weights takes one step and keeps nothing; it goes with neither --resume nor --time.");
    training::TrainingOptions wanted;
    wanted.resume = options.resume;
    wanted.seconds = options.seconds;
    wanted.device = options.device;
    wanted.stop = invocation.stop;
    wanted.random_weights = options.random_weights;
    wanted.reader = make_material_reader();
    const auto report = training::train(options.recipe, wanted, observer_of(console, options.json));
    const std::string folder = report.folder.string();
    if (options.json) {
        const nlohmann::ordered_json event = {{"event", "done"},
                                              {"output", folder},
                                              {"finished", report.finished},
                                              {"samples", report.samples},
                                              {"evaluation", measures_json(report.evaluation)}};
        console.event(event.dump() + "\n");
        return;
    }
    if (!report.evaluation.empty()) console.print_line("Held out: " + measures_text(report.evaluation) + ".");
    if (options.random_weights) return console.print_line("One step fits; nothing of it is kept.");
    console.print_line(report.finished ? "Wrote " + folder + "."
                                       : "The time is over after " + std::to_string(report.samples) +
                                             " samples; --resume goes on in " + folder + ".");
}

}  // namespace

void add_train_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("train", "Train one stage of a model from a recipe");
    const auto options = std::make_shared<TrainOptions>();
    add_value(*command, "recipe", "The recipe (JSON), see presets/training/", [options](const std::string& text) {
        options->recipe = text;
    })->required();
    add_switch(*command, "--resume", "Go on from the saved state; begin if there is none", options->resume);
    add_value(*command, "--time", "Stop after this time with a saved state: 25m, 90s, 2h",
              [options](const std::string& text) { options->seconds = time_value("--time", text); });
    add_value(*command, "--device", "cpu, cuda or cuda:N (cpu)",
              [options](const std::string& text) { options->device = device_value("--device", text); });
    add_switch(*command, "--random-weights",
               "One step with noise for the frozen weights and on drawn people, to see whether it fits; keeps nothing",
               options->random_weights);
    add_switch(*command, "--json", "Report progress and the result as one JSON object a line", options->json);
    command->callback(
        [options, &chosen] { chosen = [options](Invocation& invocation) { run_train(*options, invocation); }; });
}

}  // namespace mirror::cli
