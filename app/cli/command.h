#pragma once

// A command of the program: how it is described to the parser, and what it then does.

#include <CLI/CLI.hpp>

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/cli/console.h"

namespace mirror::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitStopped = 130;

// What a command gets when it runs. It throws UsageError and EngineError; the program turns them into exit codes.
struct Invocation {
    Console& console;
    std::stop_token stop;
    bool& json;  // Set by a command with --json, so that a failure is reported as an event too.
};

using Action = std::function<void(Invocation&)>;

// Registers commands at `program`; the chosen one puts its action into `chosen`.
void add_generate_commands(CLI::App& program, Action& chosen);
void add_bench_command(CLI::App& program, Action& chosen);
void add_demo_command(CLI::App& program, Action& chosen);
void add_decode_command(CLI::App& program, Action& chosen);
void add_evaluate_command(CLI::App& program, Action& chosen);
void add_face_command(CLI::App& program, Action& chosen);
void add_models_command(CLI::App& program, Action& chosen);
void add_run_stage_command(CLI::App& program, Action& chosen);
void add_story_command(CLI::App& program, Action& chosen);
void add_train_command(CLI::App& program, Action& chosen);

// Options as every command wants them: a value once, a value any number of times, a switch once.
CLI::Option* add_value(CLI::App& command, const std::string& name, const std::string& help,
                       std::function<void(const std::string&)> take);
CLI::Option* add_values(CLI::App& command, const std::string& name, const std::string& help,
                        std::vector<std::string>& values);
CLI::Option* add_switch(CLI::App& command, const std::string& name, const std::string& help, bool& value);

}  // namespace mirror::cli
