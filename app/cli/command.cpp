#include "app/cli/command.h"

namespace mirror::cli {

CLI::Option* add_value(CLI::App& command, const std::string& name, const std::string& help,
                       std::function<void(const std::string&)> take) {
    return command
        .add_option_function<std::string>(
            name, [take = std::move(take)](const std::string& text) { take(text); }, help)
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

CLI::Option* add_values(CLI::App& command, const std::string& name, const std::string& help,
                        std::vector<std::string>& values) {
    return command.add_option(name, values, help)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* add_switch(CLI::App& command, const std::string& name, const std::string& help, bool& value) {
    return command.add_flag(name, value, help)
        ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
        ->disable_flag_override();
}

}  // namespace mirror::cli
