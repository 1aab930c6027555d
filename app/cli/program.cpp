#include "app/cli/program.h"

#include <algorithm>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/option_values.h"
#include "app/cli/stop_signals.h"
#include "engine/core/utf8.h"
#include "engine/session/error_boundary.h"

namespace mirror::cli {

namespace {

constexpr const char* kDescription =
    "Magic Mirror Studio on the command line: one to four photographs of a person and a sentence become a video.";

// The parser takes "--name=" for "--name" and would eat the next argument.
std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) {
    std::vector<std::string> result;
    for (const std::string& argument : arguments) {
        const bool is_empty_value =
            argument.starts_with("--") && argument.size() > 3 && argument.find('=') == argument.size() - 1;
        result.push_back(is_empty_value ? argument.substr(0, argument.size() - 1) : argument);
        if (is_empty_value) result.emplace_back();
    }
    return result;
}

// The parser only says that a command is required; whoever mistyped one wants to see it. Empty if all are known.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments, std::size_t at = 0) {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty() || at >= arguments.size() || arguments[at].starts_with("-")) return {};
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* command) { return command->get_name() == arguments[at]; });
    return found == commands.end() ? arguments[at] : unknown_command(**found, arguments, at + 1);
}

// Likewise for an option in front of any command. Empty if there is none.
std::string unknown_option(const CLI::App& app, const std::vector<std::string>& arguments) {
    if (arguments.empty() || !arguments.front().starts_with("-")) return {};
    const std::string name = arguments.front().substr(0, arguments.front().find('='));
    return app.get_option_no_throw(name) == nullptr ? name : std::string();
}

struct Outcome {
    int code = kExitDone;
    std::string message;
};

Outcome parse(CLI::App& program, const std::vector<std::string>& arguments, Console& console) {
    if (const std::string unknown = unknown_command(program, arguments); !unknown.empty())
        return {kExitUsage, "there is no command '" + escape_for_message(unknown) + "'; --help lists them"};
    if (const std::string unknown = unknown_option(program, arguments); !unknown.empty())
        return {kExitUsage, "there is no option '" + escape_for_message(unknown) + "' in front of a command"};
    try {
        std::vector<std::string> reversed = with_empty_values(arguments);
        std::reverse(reversed.begin(), reversed.end());
        program.parse(std::move(reversed));
        return {};
    } catch (const CLI::CallForVersion& call) {
        console.print(std::string(call.what()) + "\n");
    } catch (const CLI::CallForHelp&) {
        console.print(program.help());  // Of the command that was chosen, with the way to it.
    } catch (const CLI::ParseError& error) {
        return {kExitUsage, error.what()};
    } catch (const UsageError& error) {
        return {kExitUsage, error.what()};
    }
    return {kExitDone, "shown"};
}

Outcome outcome_of(const Error& error) {
    return {error.code == ErrorCode::Cancelled ? kExitStopped : kExitFailed, error.detail};
}

Outcome execute(const Action& action, Invocation& invocation) {
    Outcome usage;
    const Status status = engine::guarded([&] {
        try {
            action(invocation);
        } catch (const UsageError& error) {
            usage = {kExitUsage, error.what()};
        }
    });
    return status ? usage : outcome_of(status.error());
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
    const StopSignals signals;
    Console console;
    CLI::App program(kDescription, "magic-mirror");
    program.set_version_flag("--version", "magic-mirror " MIRROR_VERSION);
    program.require_subcommand(1);
    Action chosen;
    add_generate_commands(program, chosen);
    add_story_command(program, chosen);
    add_decode_command(program, chosen);
    add_face_command(program, chosen);
    add_evaluate_command(program, chosen);
    add_models_command(program, chosen);
    add_run_stage_command(program, chosen);
    add_bench_command(program, chosen);
    add_train_command(program, chosen);
    add_demo_command(program, chosen);

    // Until a command says it itself: what is wrong with its options is an event too.
    bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    Outcome outcome = parse(program, arguments, console);
    if (outcome.code == kExitDone && !outcome.message.empty()) return kExitDone;
    if (outcome.code == kExitDone) {
        json = false;
        Invocation invocation{console, signals.token(), json};
        outcome = execute(chosen, invocation);
    }
    if (outcome.code == kExitDone) {
        console.print_warnings();
        return kExitDone;
    }
    if (json) console.event(failed_event(outcome.message));
    console.fail(outcome.message);
    return outcome.code;
}

}  // namespace mirror::cli
