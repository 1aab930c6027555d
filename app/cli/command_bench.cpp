// bench: how long each stage of a model takes on this machine.

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <tuple>

#include "app/cli/command.h"
#include "app/cli/generation_options.h"
#include "app/cli/option_values.h"
#include "engine/core/utf8.h"
#include "engine/session/bench.h"
#include "engine/session/random_checkpoint.h"

namespace mirror::cli {

namespace {

constexpr std::int64_t kMostThreads = 1024;
constexpr std::int64_t kMostRepeats = 1000;
constexpr std::int64_t kMostLayers = 1000;

struct BenchOptions {
    engine::BenchRequest request;
    bool json = false;
};

std::string one_of(const std::string& option, const std::string& text, const std::vector<std::string>& names) {
    std::string listed;
    for (const std::string& name : names) {
        if (name == text) return text;
        listed += (listed.empty() ? "" : ", ") + name;
    }
    throw UsageError(option + " wants one of " + listed + ", not '" + escape_for_message(text) + "'");
}

std::string table_line(const std::string& stage, const std::string& seconds, const std::string& spread,
                       const std::string& rate, const std::string& what) {
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), "%-18s %10s  %-19s %8s  %s", stage.c_str(), seconds.c_str(), spread.c_str(),
                  rate.c_str(), what.c_str());
    return line.data();
}

std::string number(const char* format, double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

void print_timing(Console& console, const engine::StageTiming& timing) {
    const auto [least, most] = std::minmax_element(timing.seconds.begin(), timing.seconds.end());
    const std::string rate = timing.gflop > 0 ? number("%.0f", timing.gflop / timing.median()) : "";
    console.print_line(table_line(timing.stage, number("%.4f", timing.median()),
                                  number("%.4f", *least) + " - " + number("%.4f", *most), rate, timing.what));
}

std::string timing_event(const engine::StageTiming& timing) {
    nlohmann::ordered_json event = {{"event", "timing"},
                                    {"stage", timing.stage},
                                    {"what", timing.what},
                                    {"median_seconds", timing.median()},
                                    {"seconds", timing.seconds}};
    if (timing.gflop > 0) event["gflop_per_second"] = timing.gflop / timing.median();
    return event.dump() + "\n";
}

std::string done_line(const BenchOptions& options, const engine::BenchMachine& machine) {
    const engine::BenchRequest& request = options.request;
    nlohmann::ordered_json event = {{"event", "done"}};
    if (request.model.empty()) {
        event["preset"] = request.preset;
    } else {
        event["model"] = request.model.string();
    }
    event["random_weights"] = request.model.empty() || request.random_weights;
    event["processor"] = machine.processor;
    event["device"] = machine.device;
    event["precision"] = machine.precision;
    event["threads"] = machine.threads;
    event["libtorch"] = machine.libtorch;
    event["peak_mib"] = machine.peak_mib;
    return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void run(const BenchOptions& options, Invocation& invocation) {
    invocation.json = options.json;
    Console& console = invocation.console;
    if (!options.json) console.print_line(table_line("stage", "seconds", "least - most", "GFLOP/s", "what"));
    const auto machine = engine::run_bench(
        options.request,
        [&](const engine::StageTiming& timing) {
            if (options.json) return console.event(timing_event(timing));
            print_timing(console, timing);
        },
        invocation.stop);
    if (options.json) return console.event(done_line(options, machine));
    console.print_line(machine.processor + ", " + machine.device + ", " + machine.precision + ", " +
                       std::to_string(machine.threads) + " threads, libtorch " + machine.libtorch + ", at most " +
                       std::to_string(machine.peak_mib) + " MiB.");
}

void add_model(CLI::App& command, engine::BenchRequest& request) {
    CLI::Option* preset = add_value(command, "--preset", "Sizes of a preset of models init, with random weights (demo)",
                                    [&request](const std::string& text) {
                                        request.preset = one_of("--preset", text, engine::checkpoint_presets());
                                    });
    add_value(command, "--model", "A checkpoint folder instead of a preset", [&request](const std::string& text) {
        request.model = text;
    })->excludes(preset);
    add_switch(command, "--random-weights", "Random weights of the folder's sizes; presets have no others",
               request.random_weights);
    add_value(command, "--layers", "At most so many layers of transformer and text encoder (all)",
              [&request](const std::string& text) {
                  request.layers = static_cast<int>(integer_value("--layers", text, 1, kMostLayers));
              });
    add_value(command, "--precision", "fp32 or bf16 (as the preset is stored; bf16 with a folder)",
              [&request](const std::string& text) { request.precision = precision_value("--precision", text); });
}

void add_run(CLI::App& command, engine::BenchRequest& request) {
    add_values(command, "--stage", "Only this stage; may be given again", request.stages);
    add_value(command, "--frames", "Frames of the clip, 8N+1 (9)",
              [&request](const std::string& text) { request.frames = frames_value("--frames", text); });
    add_value(command, "--size", "Size of the clip (192x128)", [&request](const std::string& text) {
        std::tie(request.width, request.height) = size_value("--size", text);
    });
    add_value(command, "--device", "cpu, cuda or cuda:N (cpu)",
              [&request](const std::string& text) { request.device = device_value("--device", text); });
    add_value(command, "--threads", "Threads (one a core)", [&request](const std::string& text) {
        request.threads = static_cast<int>(integer_value("--threads", text, 1, kMostThreads));
    });
    add_value(command, "--repeats", "Timed runs of a stage, after one that is not (3)",
              [&request](const std::string& text) {
                  request.repeats = static_cast<int>(integer_value("--repeats", text, 1, kMostRepeats));
              });
}

}  // namespace

void add_bench_command(CLI::App& program, Action& chosen) {
    CLI::App* command = program.add_subcommand("bench", "Time every stage of a model on this machine");
    const auto options = std::make_shared<BenchOptions>();
    add_model(*command, options->request);
    add_run(*command, options->request);
    add_switch(*command, "--json", "Report each stage as one JSON object a line", options->json);
    command->callback([options, &chosen] {
        for (const std::string& stage : options->request.stages) one_of("--stage", stage, engine::bench_stages());
        chosen = [options](Invocation& invocation) { run(*options, invocation); };
    });
}

}  // namespace mirror::cli
