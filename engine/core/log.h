#pragma once

// What the programs write down for a bug report: English sentences before the act, in a rotating file, never on stderr.
// Includes no logging library, because libtorch brings another version of its formatter.

#include <filesystem>
#include <string>
#include <string_view>

namespace mirror {

enum class LogLevel { Info, Warning, Error };

// From here on log() writes to `file` (1 MiB, three generations). Without it, or if the file cannot be opened, log()
// does nothing. Called once, at the start of main.
void start_log(const std::filesystem::path& file);

// `module` is the folder that speaks: "session", "device". Any thread; never throws.
void log(LogLevel level, std::string_view module, std::string_view sentence) noexcept;

}  // namespace mirror
