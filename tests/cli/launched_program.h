#pragma once

// Runs the real program and keeps what it said.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mirror::cli::testing {

struct Finished {
    int code = -1;  // 128 + the signal's number if one ended it.
    std::string out;
    std::string err;
};

struct LaunchOptions {
    std::filesystem::path cache;                            // XDG_CACHE_HOME of the program.
    std::function<bool(const std::string& out)> interrupt;  // SIGINT as soon as this is true for what stdout has.
    int threads = 1;
    std::vector<std::string> settings{};  // "NAME=VALUE" of the environment, besides the usual ones.
};

Finished launch(const std::vector<std::string>& arguments, const LaunchOptions& options = {});

}  // namespace mirror::cli::testing
