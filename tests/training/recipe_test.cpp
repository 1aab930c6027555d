// Recipes are read strictly, with one sentence that names the key.

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/core/result.h"
#include "engine/training/recipe.h"
#include "engine/training/recipe_file.h"
#include "engine/training/training_task.h"

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

// What is said of a recipe by itself, its stage's own parts included.
std::string refusal_by_stage(const std::string& json) {
    try {
        check_recipe(Recipe::parse(json, "r.json"));
    } catch (const EngineError& error) {
        return error.what();
    }
    return {};
}

// A misspelt key in any part of any recipe is found before anything else is read.
TEST(Recipe, OfTheRepositoryCanBeRead) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(MIRROR_SOURCE_DIR "/presets/training")) {
        const std::string text = recipe_text(entry.path());
        EXPECT_EQ(refusal_by_stage(text), "") << entry.path();
        for (const char* part : {"data", "model", "losses"}) {
            auto wrong = nlohmann::ordered_json::parse(text);
            if (!wrong.contains(part)) continue;
            wrong[part]["misspelt"] = 1;
            EXPECT_NE(refusal_by_stage(wrong.dump()).find("misspelt"), std::string::npos) << entry.path() << part;
        }
        ++count;
    }
    EXPECT_GE(count, 9);
}

// Keys that a stage would not look at, and values that mean nothing.
TEST(Recipe, RefusesWhatItsStageIgnores) {
    const std::string model = R"("model": {"preset": "tiny"}, )", drawn = R"("data": {"items": 3)";
    const std::vector<std::array<std::string, 3>> all = {
        // stage, the rest of the recipe, what is named
        {"vae", R"("checkpoint": true)", "checkpoint"},
        {"recognizer", model + R"("data": {}, "losses": {"contrast": 0.1})", "losses.contrast"},
        {"recognizer", R"("model": {"preset": "tiny", "switches": {}}, "data": {})", "model.switches"},
        {"clip-tower", model + R"("data": {}, "losses": {"contrast": 0.1}, "micro_batch": 2)", "micro_batch"},
        {"base", model + drawn + R"(, "crop": 32}, "losses": {})", "data.crop"},
        {"base", model + drawn + R"(, "face_crops": 0.5}, "losses": {})", "data.face_crops"},
        {"base", model + drawn + R"(, "styles": 0.34}, "losses": {})", "data.styles"},
        {"base", model + drawn + R"(, "frames": 8}, "losses": {})", "data.frames"},
        {"base", model + drawn + R"(}, "losses": {"pair": 1.0})", "losses.pair"},
        {"base", model + drawn + R"(, "pairs": true}, "losses": {})", "data.items"},
        {"base", model + R"("data": {"items": 4, "pairs": true}, "micro_batch": 1, "losses": {"pair": 1.0})",
         "micro_batch"},
        {"base", model + R"("data": {"folder": "f"}, "losses": {"meaning": 1.0})", "losses.meaning"},
        {"vae", R"("input": "i", "data": {"pairs": true})", "data.pairs"},
        {"text-encoder", model + R"("data": {"items": 3}, "losses": {})", "items"},
        {"text-encoder", model + R"("data": {}, "losses": {"keep": 1.0})", "losses.keep"},
        {"vae", R"("input": "i", "data": {"items": 3})", "data.items"},
        {"vae", R"("input": "i", "data": {"cache": "c"})", "data.cache"},
        {"vae", R"("input": "i", "data": {"frames": 5})", "data.frames"},
        {"vae", R"("input": "i", "data": {}, "model": {})", "model"},
        {"judge", R"("input": "i", "data": {}, "model": {})", "input"},
        {"recognizer", model + R"("data": {"styles": 0.5})", "data.styles"},
        {"adapter", model + drawn + R"(}, "losses": {"drop_text": 0.5, "drop_face": 0.5})", "losses.drop_both"},
        {"adapter", model + R"("data": {"folder": "f"}, "losses": {"references": 2})", "losses.references"},
        {"adapter", model + R"("data": {"folder": "f", "references": 2}, "losses": {"references_at_once": 3})",
         "losses.references_at_once"},
        {"adapter", R"("model": {"preset": "tiny", "switches": {"cam": "off"}}, )" + drawn + R"(}, "losses": {})",
         "cam"},
        {"vae", R"("optimizer": {"moments": "bf16", "beta2": 0.995})", "optimizer.beta2"}};
    for (const auto& [stage, rest, named] : all) {
        const std::string said = refusal_by_stage(
            R"({"output": "o", "samples": 100, "batch": 4, "learning_rate": {"peak": 0.001}, "stage": ")" + stage +
            "\", " + rest + "}");
        EXPECT_NE(said.find(named), std::string::npos) << stage << " " << rest << ": " << said;
    }
}

}  // namespace
}  // namespace mirror::engine::training
