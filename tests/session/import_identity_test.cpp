// PhotoMaker V2's file becomes the two folders that the engine reads, or a sentence with the name that is wrong.

#include "engine/session/import_identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>

#include "engine/session/model_folder.h"
#include "tests/session/tiny_checkpoint.h"
#include "tests/support/torch_archive_writer.h"

namespace mirror::engine {
namespace {

using mirror::testing::SavedDictionary;
using mirror::testing::SavedTensor;

// Width 64, one layer, 2 x 2 patches of 2 pixels; a perceiver of width 128 for embeddings of 8.
std::vector<SavedTensor> id_encoder() {
    std::vector<SavedTensor> tensors;
    const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
        std::int64_t count = 1;
        for (const std::int64_t size : shape) count *= size;
        SavedTensor tensor{name, shape, {}};
        for (std::int64_t i = 0; i < count; ++i)
            tensor.values.push_back(static_cast<float>((i * 7 + static_cast<std::int64_t>(tensors.size())) % 11 - 5) /
                                    50);
        tensors.push_back(std::move(tensor));
    };
    const auto both = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
        add(name + ".weight", shape);
        add(name + ".bias", {shape[0]});
    };
    const std::string tower = "vision_model.", layer = tower + "encoder.layers.0.";
    add(tower + "embeddings.class_embedding", {64});
    add(tower + "embeddings.patch_embedding.weight", {64, 3, 2, 2});
    add(tower + "embeddings.position_embedding.weight", {5, 64});
    both(tower + "pre_layrnorm", {64});
    both(tower + "post_layernorm", {64});
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) both(layer + "self_attn." + name, {64, 64});
    both(layer + "layer_norm1", {64});
    both(layer + "layer_norm2", {64});
    both(layer + "mlp.fc1", {128, 64});
    both(layer + "mlp.fc2", {64, 128});
    const std::string former = "qformer_perceiver.", sampler = former + "perceiver_resampler.";
    both(former + "token_proj.0", {32, 8});
    both(former + "token_proj.2", {256, 32});
    both(former + "token_norm", {128});
    both(sampler + "proj_in", {128, 64});
    both(sampler + "proj_out", {128, 128});
    both(sampler + "norm_out", {128});
    both(sampler + "layers.0.0.norm1", {128});
    both(sampler + "layers.0.0.norm2", {128});
    add(sampler + "layers.0.0.to_q.weight", {128, 128});
    add(sampler + "layers.0.0.to_kv.weight", {256, 128});
    add(sampler + "layers.0.0.to_out.weight", {128, 128});
    both(sampler + "layers.0.1.0", {128});
    add(sampler + "layers.0.1.1.weight", {256, 128});
    add(sampler + "layers.0.1.3.weight", {128, 256});
    add("visual_projection.weight", {3, 64});
    add("visual_projection_2.weight", {3, 64});
    add("fuse_module.mlp1.fc1.weight", {2, 2});
    return tensors;
}

class ImportIdentity : public ::testing::Test {
protected:
    Result<std::vector<PartReport>> import_file(const std::vector<SavedDictionary>& dictionaries) {
        std::ofstream(file(), std::ios::binary) << mirror::testing::torch_file(dictionaries);
        return import_photomaker(file(), out(), {});
    }

    // Of a file that differs from a good one; nothing may be left behind.
    void expect_refusal(const std::string& fragment, const std::function<void(std::vector<SavedTensor>&)>& change) {
        auto tensors = id_encoder();
        change(tensors);
        const auto result = import_file({{"id_encoder", tensors}});
        ASSERT_FALSE(result.ok()) << fragment;
        EXPECT_NE(result.error().detail.find(fragment), std::string::npos) << result.error().detail;
        EXPECT_FALSE(std::filesystem::exists(out()));
    }

    std::filesystem::path file() const { return folder_.path() / "photomaker-v2.bin"; }
    std::filesystem::path out() const { return folder_.path() / "deep" / "model"; }

    testing::TemporaryFolder folder_;
};

SavedTensor& named(std::vector<SavedTensor>& tensors, const std::string& name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const SavedTensor& each) { return each.name == name; });
}

TEST_F(ImportIdentity, WritesPartsThatTheEngineReads) {
    const auto saved = id_encoder();
    const auto parts = import_file({{"id_encoder", saved}, {"lora_weights", {{"whatever", {1}, {1}}}}});
    ASSERT_TRUE(parts.ok()) << parts.error().detail;
    const ModelFolder model(out(), {at::kFloat, at::kCPU}, WeightCheck::Finite);
    const auto tower = model.clip_vision();
    EXPECT_EQ(tower.shape.image_size, 4);
    EXPECT_EQ(tower.shape.intermediate_size, 128);
    const auto perceiver = model.perceiver_id();
    EXPECT_EQ(perceiver.shape.tokens, 2);
    EXPECT_EQ(perceiver.shape.ratio, 4);
    EXPECT_TRUE(model.store("image_encoder")->names().size() == 23);
    const auto features = tower(at::zeros({1, 3, 4, 4}));
    const at::Tensor tokens = perceiver(at::ones({1, 8}), features.last_hidden_state);
    EXPECT_EQ(tokens.sizes(), (at::IntArrayRef{1, 2, 128}));

    const auto store = model.store("id_perceiver");
    const auto same = [&](const std::string& ours, const std::string& theirs) {
        auto copy = saved;
        const at::Tensor expected = at::tensor(named(copy, "qformer_perceiver." + theirs).values);
        EXPECT_TRUE(at::equal(store->read_any(ours).flatten(), expected)) << ours;
    };
    same("token_proj.fc1.bias", "token_proj.0.bias");
    same("token_proj.fc2.weight", "token_proj.2.weight");
    same("layers.0.attn.norm_kv.weight", "perceiver_resampler.layers.0.0.norm1.weight");
    same("layers.0.attn.norm_q.weight", "perceiver_resampler.layers.0.0.norm2.weight");
    same("layers.0.attn.to_kv.weight", "perceiver_resampler.layers.0.0.to_kv.weight");
    same("layers.0.ff.norm.bias", "perceiver_resampler.layers.0.1.0.bias");
    same("layers.0.ff.fc1.weight", "perceiver_resampler.layers.0.1.1.weight");
    same("layers.0.ff.fc2.weight", "perceiver_resampler.layers.0.1.3.weight");
}

TEST_F(ImportIdentity, NamesWhatIsWrong) {
    using Tensors = std::vector<SavedTensor>;
    expect_refusal("vision_model.extra", [](Tensors& tensors) { tensors.push_back({"vision_model.extra", {1}, {0}}); });
    expect_refusal("stranger", [](Tensors& tensors) { tensors.push_back({"stranger", {1}, {0}}); });
    expect_refusal("layers.2.0.to_q.weight", [](Tensors& tensors) {
        tensors.push_back({"qformer_perceiver.perceiver_resampler.layers.2.0.to_q.weight", {1}, {0}});
    });
    expect_refusal("token_norm", [](Tensors& tensors) {
        named(tensors, "qformer_perceiver.token_norm.bias").name = "fuse_module.x";
    });
    expect_refusal("class_embedding", [](Tensors& tensors) {
        named(tensors, "vision_model.embeddings.class_embedding").name = "fuse_module.x";
    });
    expect_refusal("fc2.weight' in", [](Tensors& tensors) {
        named(tensors, "vision_model.encoder.layers.0.mlp.fc2.weight").shape = {128, 64};
    });
    expect_refusal("NaN", [](Tensors& tensors) {
        named(tensors, "vision_model.post_layernorm.bias").values[3] = std::numeric_limits<float>::quiet_NaN();
    });
    expect_refusal("no square", [](Tensors& tensors) {
        auto& positions = named(tensors, "vision_model.embeddings.position_embedding.weight");
        positions.shape = {4, 64};
        positions.values.resize(4 * 64);
    });
}

// People look for the name in PhotoMaker's file, not in ours.
TEST_F(ImportIdentity, CallsMissingTensorsAsPhotoMakerDoes) {
    for (const SavedTensor& gone : id_encoder()) {
        // Those that tell how many layers there are: the next tensor of the layer is one too many then.
        if (gone.name.ends_with("q_proj.weight") || gone.name.ends_with("to_q.weight")) continue;
        if (gone.name.starts_with("fuse_module.") || gone.name.starts_with("visual_projection")) continue;
        expect_refusal("'" + gone.name + "'",
                       [&](std::vector<SavedTensor>& tensors) { named(tensors, gone.name).name = "fuse_module.x"; });
    }
}

TEST_F(ImportIdentity, LeavesFoldersThatAreThere) {
    std::filesystem::create_directories(out() / "id_perceiver");
    const auto result = import_file({{"id_encoder", id_encoder()}});
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.error().detail.find("already there"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(out() / "image_encoder"));
}

// A call that was killed after its first folder is completed by the next one; another tower is left alone.
TEST_F(ImportIdentity, CompletesWhatWasKilled) {
    ASSERT_TRUE(import_file({{"id_encoder", id_encoder()}}).ok());
    std::filesystem::remove_all(out() / "id_perceiver");
    ASSERT_TRUE(import_file({{"id_encoder", id_encoder()}}).ok());
    EXPECT_TRUE(std::filesystem::exists(out() / "id_perceiver" / "model.safetensors"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out()), {}), 2);

    std::filesystem::remove_all(out() / "id_perceiver");
    std::filesystem::resize_file(out() / "image_encoder" / "config.json", 3);
    const auto result = import_file({{"id_encoder", id_encoder()}});
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.error().detail.find("image_encoder' is already there"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(out() / "id_perceiver"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out()), {}), 1);
}

TEST_F(ImportIdentity, RefusesOtherFiles) {
    EXPECT_FALSE(import_file({{"id_encoder", {}}}).ok());
    EXPECT_FALSE(import_file({{"other", id_encoder()}}).ok());
    EXPECT_FALSE(import_photomaker(folder_.path() / "absent.bin", out(), {}).ok());
    EXPECT_FALSE(std::filesystem::exists(out()));
}

}  // namespace
}  // namespace mirror::engine
