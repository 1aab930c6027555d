#pragma once

// What the person or the calling program sees: one line of error, one JSON object a line, a progress bar on a terminal.
// Nothing that a library prints reaches the real standard error while a Console lives.

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/progress.h"

namespace mirror::cli {

// No control or bidirectional characters, no broken UTF-8, at most 299 bytes without the line end.
std::string one_line(std::string_view text);

// Which shot of a sequence something is about; none for a single video.
struct ShotNumber {
    int shot = 0;  // From 1.
    int shots = 0;
};

class Console {
public:
    Console();
    ~Console();
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    void print(std::string_view text);       // Standard output, as it is.
    void print_line(std::string_view text);  // Standard output, one_line(), line end.
    void event(const std::string& json);     // Standard output, one object a line, at once.

    // Warnings are kept until the run has succeeded: a failed one prints exactly one line.
    void warn(const std::string& sentence) { warnings_.push_back(sentence); }
    void print_warnings();
    void fail(const std::string& sentence);

    // A finished line on the real standard error, for a program that cannot go on: needs no Console and no memory.
    static void last_words(const char* line);

    // A bar on a terminal, nothing elsewhere.
    void show_progress(const Progress& progress, const ShotNumber& of = {});
    void clear_progress();

private:
    void write_error(std::string_view text);

    int error_descriptor_ = -1;
    bool terminal_ = false;
    bool bar_shown_ = false;
    std::vector<std::string> warnings_;
};

// {"event": "progress", ...}; `seconds_left` is left out while unknown, "shot" and "shots" where there is one video.
std::string progress_event(const Progress& progress, const ShotNumber& of = {});
std::string done_event(const std::string& output);
std::string failed_event(const std::string& message);
std::string warning_event(const std::string& message);

}  // namespace mirror::cli
