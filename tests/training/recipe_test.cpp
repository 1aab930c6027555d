// Recipes are read strictly, with one sentence that names the key.

#include <gtest/gtest.h>

#include <filesystem>

#include "engine/core/result.h"
#include "engine/training/recipe.h"

namespace mirror::engine::training {
namespace {

std::string refusal(const std::string& json) {
    try {
        Recipe::parse(json, "r.json");
    } catch (const EngineError& error) {
        return error.what();
    }
    return {};
}

const std::string kStart =
    R"({"stage": "vae", "output": "o", "samples": 100, "batch": 4, "learning_rate": {"peak": 0.001})";

TEST(Recipe, HasDefaults) {
    const Recipe recipe = Recipe::parse(kStart + "}", "r.json");
    EXPECT_EQ(recipe.stage, StageKind::Vae);
    EXPECT_EQ(recipe.report_every, 80);
    EXPECT_FALSE(recipe.bf16);
    EXPECT_EQ(recipe.fingerprint.size(), 64U);
}

TEST(Recipe, NamesWhatIsWrong) {
    EXPECT_NE(refusal(kStart + R"(, "colour": 1})").find("colour"), std::string::npos);
    EXPECT_NE(refusal(kStart + R"(, "precision": "fp8"})").find("precision"), std::string::npos);
    EXPECT_NE(refusal(kStart + R"(, "optimizer": {"clip": -1}})").find("optimizer.clip"), std::string::npos);
    EXPECT_NE(refusal(R"({"stage": "dit"})").find("stage"), std::string::npos);
    EXPECT_NE(refusal(R"({"stage": "vae", "output": "o", "samples": 0})").find("samples"), std::string::npos);
    EXPECT_NE(refusal("{").find("r.json"), std::string::npos);
}

TEST(Recipe, OfTheRepositoryCanBeRead) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(MIRROR_SOURCE_DIR "/presets/training")) {
        EXPECT_NO_THROW(Recipe::open(entry.path())) << entry.path();
        ++count;
    }
    EXPECT_GE(count, 9);
}

}  // namespace
}  // namespace mirror::engine::training
