// Recipes that are based on others, and parts of a model that are copied whole or not at all.

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "engine/core/durable_replace.h"
#include "engine/core/limits.h"
#include "engine/core/result.h"
#include "engine/training/model_writer.h"
#include "engine/training/recipe.h"
#include "engine/training/recipe_file.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine::training {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& file, const std::string& text) { write_text(file, text); }

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
}

const char* kWhole = R"({"stage": "vae", "output": "o", "samples": 100, "batch": 4,
    "learning_rate": {"peak": 0.001, "warmup_samples": 8}, "data": {"width": 32}})";

TEST(RecipeFile, TakesWhatItDoesNotSayFromAnother) {
    const testing::ScratchFolder folder;
    put(folder.path() / "whole.json", kWhole);
    put(folder.path() / "below" / "half.json",
        R"({"based_on": "../whole.json", "samples": 50, "learning_rate": {"peak": 0.01}, "seed": null})");
    put(folder.path() / "below" / "again.json", R"({"based_on": "half.json", "output": "p"})");
    const Recipe recipe = Recipe::open(folder.path() / "below" / "again.json");
    EXPECT_EQ(recipe.output, "p");
    EXPECT_EQ(recipe.samples, 50);
    EXPECT_EQ(recipe.batch, 4);
    EXPECT_DOUBLE_EQ(recipe.learning_rate.peak, 0.01);
    EXPECT_EQ(recipe.learning_rate.warmup_samples, 8);
    EXPECT_NE(recipe.fingerprint, Recipe::open(folder.path() / "whole.json").fingerprint);
    // One that is based on nothing counts byte by byte, as it always did.
    EXPECT_EQ(recipe_text(folder.path() / "whole.json"), kWhole);
}

TEST(RecipeFile, RefusesCirclesAndMissingOnes) {
    const testing::ScratchFolder folder;
    put(folder.path() / "a.json", R"({"based_on": "b.json"})");
    put(folder.path() / "b.json", R"({"based_on": "a.json"})");
    put(folder.path() / "c.json", R"({"based_on": "nowhere.json"})");
    EXPECT_THROW(Recipe::open(folder.path() / "a.json"), EngineError);
    EXPECT_THROW(Recipe::open(folder.path() / "c.json"), EngineError);
}

TEST(RecipeFile, IsARegularFileOfAReasonableSize) {
    const testing::ScratchFolder folder;
    const fs::path empty = folder.path() / "empty.json", fifo = folder.path() / "fifo.json",
                   large = folder.path() / "large.json";
    put(empty, "");
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    put(large, "{}");
    fs::resize_file(large, limits::kConfigBytes + 1);
    const std::vector<std::pair<fs::path, std::string>> all = {
        {empty, "is empty"},           {fifo, "regular file"},
        {"/dev/zero", "regular file"}, {folder.path(), "regular file"},
        {large, "above the limit"},    {folder.path() / "nowhere.json", "nowhere.json"}};
    for (const auto& [file, what] : all) {
        try {
            Recipe::open(file);
            ADD_FAILURE() << file << " was read";
        } catch (const EngineError& error) {
            EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
        }
    }
}

TEST(CopyMissingParts, CopiesWholeFoldersAndKeepsWhatIsThere) {
    const testing::ScratchFolder folder;
    const fs::path from = folder.path() / "from", to = folder.path() / "to";
    put(from / "vae" / "config.json", "{}");
    put(from / "vae" / "deeper" / "weights", std::string(3'000'000, 'w'));
    put(from / "tokenizer" / "spiece.model", "new");
    put(from / "model_index.json", "index");
    put(from / "training" / "state.json", "no");
    put(to / "tokenizer" / "spiece.model", "old");
    fs::create_directories(to / "vae");  // Empty: begun by nobody.
    copy_missing_parts(from, to);
    EXPECT_EQ(text_of(to / "vae" / "deeper" / "weights").size(), 3'000'000U);
    EXPECT_EQ(text_of(to / "vae" / "config.json"), "{}");
    EXPECT_EQ(text_of(to / "tokenizer" / "spiece.model"), "old");
    EXPECT_EQ(text_of(to / "model_index.json"), "index");
    EXPECT_FALSE(fs::exists(to / "training"));
    for (const auto& entry : fs::recursive_directory_iterator(to))
        EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
}

TEST(CopyMissingParts, LeavesNothingUnderTheNameWhenAFileCannotBeRead) {
    const testing::ScratchFolder folder;
    const fs::path from = folder.path() / "from", to = folder.path() / "to";
    put(from / "vae" / "a", "a");
    fs::create_directories(to);
    fs::create_directory_symlink(folder.path() / "nowhere", from / "broken");
    EXPECT_THROW(copy_missing_parts(from, to), EngineError);
    EXPECT_FALSE(fs::exists(to / "broken"));
}

}  // namespace
}  // namespace mirror::engine::training
