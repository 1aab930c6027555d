#include "app/cli/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/core/utf8.h"

namespace mirror::cli {

namespace {

constexpr std::size_t kLongestLine =
    290;  // Bytes, and a mark where something is left out; the contract says under 300.
constexpr std::size_t kLongestOutput = 8192;
constexpr int kBarWidth = 28;

using Json = nlohmann::json;

std::atomic<int> real_error{STDERR_FILENO};  // Where standard error leads while a Console keeps others from it.

void write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // A closed pipe is the reader's decision; the exit code still tells.
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string json_line(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string duration(double seconds) {
    const int whole = static_cast<int>(std::lround(seconds));
    if (whole < 100) return std::to_string(whole) + " s";
    return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
}

}  // namespace

std::string one_line(std::string_view text) { return escape_for_message(text, kLongestLine); }

Console::Console() {
    error_descriptor_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (error_descriptor_ >= 0) real_error = error_descriptor_;
    terminal_ = ::isatty(STDERR_FILENO) == 1;
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        ::dup2(nowhere, STDERR_FILENO);
        ::close(nowhere);
    }
}

Console::~Console() {
    clear_progress();
    std::fflush(stderr);
    if (error_descriptor_ >= 0) {
        real_error = STDERR_FILENO;
        ::dup2(error_descriptor_, STDERR_FILENO);
        ::close(error_descriptor_);
    }
}

void Console::write_error(std::string_view text) { write_all(error_descriptor_, text); }

void Console::print(std::string_view text) { write_all(STDOUT_FILENO, text); }

void Console::print_line(std::string_view text) { print(escape_for_message(text, kLongestOutput) + "\n"); }

void Console::event(const std::string& json) { print(json); }

void Console::print_warnings() {
    clear_progress();
    for (const std::string& sentence : warnings_) write_error(one_line("warning: " + sentence) + "\n");
    warnings_.clear();
}

void Console::fail(const std::string& sentence) {
    clear_progress();
    write_error(one_line("magic-mirror: " + sentence) + "\n");
}

void Console::last_words(const char* line) { write_all(real_error, line); }

void Console::show_progress(const Progress& progress, const ShotNumber& of) {
    if (!terminal_) return;
    const double part = progress.steps > 0 ? std::clamp(double(progress.step) / progress.steps, 0.0, 1.0) : 0.0;
    const int filled = static_cast<int>(part * kBarWidth);
    const std::string shot =
        of.shots > 0 ? "shot " + std::to_string(of.shot) + "/" + std::to_string(of.shots) + " " : "";
    std::string line = "\r\033[K[" + std::string(static_cast<std::size_t>(filled), '=') +
                       std::string(static_cast<std::size_t>(kBarWidth - filled), ' ') + "] " + shot +
                       to_text(progress.stage);
    if (progress.steps > 0)
        line.append(" ").append(std::to_string(progress.step)).append("/").append(std::to_string(progress.steps));
    if (progress.seconds_left >= 0) line.append(", ").append(duration(progress.seconds_left)).append(" left");
    write_error(line);
    bar_shown_ = true;
}

void Console::clear_progress() {
    if (bar_shown_) write_error("\r\033[K");
    bar_shown_ = false;
}

std::string progress_event(const Progress& progress, const ShotNumber& of) {
    Json object = {
        {"event", "progress"}, {"stage", to_text(progress.stage)}, {"step", progress.step}, {"steps", progress.steps}};
    if (of.shots > 0) {
        object["shot"] = of.shot;
        object["shots"] = of.shots;
    }
    if (progress.seconds_left >= 0) object["seconds_left"] = std::round(progress.seconds_left * 10) / 10;
    return json_line(object);
}

std::string done_event(const std::string& output) { return json_line({{"event", "done"}, {"output", output}}); }

std::string failed_event(const std::string& message) { return json_line({{"event", "failed"}, {"message", message}}); }

std::string warning_event(const std::string& message) {
    return json_line({{"event", "warning"}, {"message", message}});
}

}  // namespace mirror::cli
