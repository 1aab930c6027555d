// What may be written over.

#include "engine/session/output_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/session/tiny_checkpoint.h"

namespace mirror::engine::testing {

namespace {

void touch(const std::filesystem::path& file) { std::ofstream(file) << "x"; }

}  // namespace

TEST(OutputRules, AbsentAndRegularFilesMayBeWritten) {
    const TemporaryFolder folder;
    const auto file = folder.path() / "out.mp4";
    EXPECT_TRUE(check_output(file, {}));
    touch(file);
    EXPECT_TRUE(check_output(file, {folder.path() / "other"}));
}

TEST(OutputRules, AnInputIsRefusedByEverySpellingAndLink) {
    const TemporaryFolder folder;
    const auto input = folder.path() / "photo.jpg";
    touch(input);
    EXPECT_FALSE(check_output(input, {input}));
    EXPECT_FALSE(check_output(folder.path() / "." / "photo.jpg", {input}));
    std::filesystem::create_hard_link(input, folder.path() / "hard");
    EXPECT_FALSE(check_output(folder.path() / "hard", {input}));
    std::filesystem::create_symlink(input, folder.path() / "soft");
    EXPECT_FALSE(check_output(input, {folder.path() / "soft"}));
}

TEST(OutputRules, WhatIsNoRegularFileIsRefused) {
    const TemporaryFolder folder;
    EXPECT_FALSE(check_output(folder.path(), {}));
    EXPECT_FALSE(check_output("/dev/null", {}));
    EXPECT_FALSE(check_output(folder.path() / "missing" / "out.mp4", {}));
    std::filesystem::create_symlink(folder.path() / "nowhere", folder.path() / "link");
    EXPECT_FALSE(check_output(folder.path() / "link", {}));
    EXPECT_FALSE(check_output("", {}));
}

TEST(OutputRules, AModelConsistsOfItsPartsOnly) {
    const auto files = files_of_model(tiny_checkpoint());
    const auto holds = [&](const std::filesystem::path& file) {
        return std::find(files.begin(), files.end(), tiny_checkpoint() / file) != files.end();
    };
    EXPECT_TRUE(holds("transformer/config.json"));
    EXPECT_TRUE(holds("model_index.json"));
    EXPECT_FALSE(holds("out.safetensors"));
}

}  // namespace mirror::engine::testing
