#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/launched_program.h"
#include "tests/session/tiny_checkpoint.h"

namespace mirror::cli::testing {

inline std::vector<nlohmann::json> events_in(const std::string& out) {
    std::vector<nlohmann::json> events;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
    return events;
}

class CliTest : public ::testing::Test {
protected:
    static std::string model() { return engine::testing::tiny_checkpoint().string(); }
    static std::string adapter() { return model() + "/adapter/adapter.safetensors"; }
    static std::string photo() { return MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg"; }

    // Listed with what is installed, wherever that is.
    static bool is_builtin(const nlohmann::json& listed) {
        return listed.at("path") == MIRROR_SOURCE_DIR "/resources/models/pocket";
    }

    std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
    // `settings` are "NAME=VALUE" of the environment.
    Finished run(const std::vector<std::string>& arguments, const std::vector<std::string>& settings = {}) const {
        LaunchOptions options;
        options.cache = cache_.path();
        options.settings = settings;
        return launch(arguments, options);
    }

    // "@out", "@model", "@adapter", "@photo" and "@dir" stand for files of this test.
    std::vector<std::string> resolved(std::vector<std::string> arguments) const {
        const std::vector<std::pair<std::string, std::string>> names{
            {"@model", model()}, {"@adapter", adapter()}, {"@photo", photo()}, {"@dir", folder_.path().string()}};
        for (std::string& argument : arguments)
            for (const auto& [name, path] : names)
                if (argument.starts_with(name)) argument = path + argument.substr(name.size());
        return arguments;
    }

    std::vector<std::string> files_left() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            names.push_back(entry.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }

    void expect_one_line(const Finished& finished, const std::string& fragment) const {
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
        EXPECT_TRUE(finished.err.ends_with('\n')) << finished.err;
        EXPECT_LE(finished.err.size(), 300u) << finished.err;
        EXPECT_NE(finished.err.find(fragment), std::string::npos) << "wanted '" << fragment << "' in " << finished.err;
    }

    engine::testing::TemporaryFolder folder_;
    engine::testing::TemporaryFolder cache_;
};

}  // namespace mirror::cli::testing
