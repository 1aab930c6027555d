// What a checkpoint says about itself beside the published layout.

#include <gtest/gtest.h>

#include <fstream>

#include "engine/session/checkpoint_preset.h"
#include "engine/session/model_info.h"
#include "tests/session/tiny_checkpoint.h"

namespace mirror::engine {
namespace {

namespace fs = std::filesystem;

// The tiny checkpoint with another model_index.json; only what is read of it is there.
class ModelInfoTest : public ::testing::Test {
protected:
    Result<ModelInfo> told(const std::string& index) {
        for (const char* part : {"transformer", "vae", "scheduler"}) {
            fs::create_directories(folder_.path() / part);
            for (const auto& file : fs::directory_iterator(testing::tiny_checkpoint() / part))
                if (file.path().extension() == ".json")
                    fs::copy_file(file.path(), folder_.path() / part / file.path().filename(),
                                  fs::copy_options::overwrite_existing);
        }
        std::ofstream(folder_.path() / "model_index.json") << index;
        return read_model_info(folder_.path());
    }

private:
    testing::TemporaryFolder folder_;
};

TEST_F(ModelInfoTest, SamplingIsTheModelsOwn) {
    const ModelInfo plain = value_or_throw(told("{}"));
    EXPECT_EQ(plain.steps, 50);
    EXPECT_EQ(plain.guidance, 6.0);
    const ModelInfo own = value_or_throw(told(R"({"_sampling": {"steps": 20, "guidance": 2.5}})"));
    EXPECT_EQ(own.steps, 20);
    EXPECT_EQ(own.guidance, 2.5);
    for (const char* bad : {R"({"_sampling": {"steps": 0}})", R"({"_sampling": {"guidance": 101}})",
                            R"({"_sampling": {"steps": "many"}})", R"({"_sampling": 3})"})
        EXPECT_FALSE(told(bad).ok()) << bad;
}

TEST_F(ModelInfoTest, PresetWritesWhatSuitsIt) {
    const CheckpointPreset preset = CheckpointPreset::find("pocket");
    const ModelInfo info = value_or_throw(told(preset.model_index(1)));
    EXPECT_EQ(info.steps, 20);
    EXPECT_EQ(info.guidance, 3.0);
    EXPECT_EQ(info.draws, "cartoon people");
    EXPECT_TRUE(info.random_weights);
}

}  // namespace
}  // namespace mirror::engine
