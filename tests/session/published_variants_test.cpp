// The same weights in the other layouts that publishers use: with and without prefix, under an alias, in shards.

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <utility>

#include "engine/core/durable_replace.h"
#include "engine/formats/shard_index.h"
#include "engine/session/model_folder.h"
#include "engine/session/verify_model.h"
#include "engine/weights/tensor_file.h"
#include "tests/session/session_fixture.h"

namespace mirror::engine {
namespace {

class PublishedVariants : public ::testing::Test {
protected:
    PublishedVariants() {
        std::filesystem::copy(testing::tiny_checkpoint(), model(), std::filesystem::copy_options::recursive);
        // It describes the folder's own tensors by name.
        std::filesystem::remove_all(model() / "adapter");
    }

    std::filesystem::path model() const { return folder_.path() / "model"; }
    std::filesystem::path file(const std::string& part, const std::string& stem) const {
        return model() / part / (stem + ".safetensors");
    }
    ModelFolder opened() const { return {model(), {at::kFloat, at::kCPU}, WeightCheck::Finite}; }

    void expect_whole() const {
        testing::DrawnFaces faces;
        const auto parts = verify_model(model(), faces, {});
        ASSERT_TRUE(parts.ok()) << parts.error().detail;
        for (const auto& part : parts.value()) EXPECT_TRUE(part.unread.empty()) << part.name;
    }

    // Two files and an index instead of one file.
    void shard(const std::string& part, const std::string& stem) {
        const TensorMap all = load_tensors(file(part, stem));
        std::array<TensorMap, 2> halves;
        std::map<std::string, std::string> file_of;
        std::size_t count = 0;
        for (const auto& [name, tensor] : all) {
            const std::size_t half = count++ % 2;
            const std::string shard_stem = stem + "-0000" + std::to_string(half + 1) + "-of-00002";
            halves[half].emplace(name, tensor);
            file_of.emplace(name, shard_stem + ".safetensors");
        }
        for (const TensorMap& half : halves) save_tensors(model() / part / file_of.at(half.begin()->first), half);
        const auto index = model() / part / (stem + ".safetensors.index.json");
        value_or_throw(durable_replace(index, formats::shard_index_json(file_of, 0)));
        std::filesystem::remove(file(part, stem));
    }

    testing::TemporaryFolder folder_;
};

at::Tensor tower_output(const ModelFolder& folder) {
    const auto tower = folder.clip_vision();
    const std::int64_t side = tower.shape.image_size;
    return tower(at::linspace(-1, 1, 3 * side * side).view({1, 3, side, side})).last_hidden_state;
}

at::Tensor text_output(const ModelFolder& folder) {
    return folder.text_encoder()(at::arange(8, at::kLong).unsqueeze(0));
}

TEST_F(PublishedVariants, ClipComesWithAndWithoutPrefix) {
    const at::Tensor expected = tower_output(opened());
    const TensorMap tensors = load_tensors(file("image_encoder", "model"));
    const bool has_prefix = tensors.begin()->first.starts_with("vision_model.");
    TensorMap other;
    for (const auto& [name, tensor] : tensors)
        other.emplace(has_prefix ? name.substr(std::string("vision_model.").size()) : "vision_model." + name, tensor);
    other.emplace("visual_projection.weight", at::zeros({4, 4}));
    other.emplace("vision_model.embeddings.position_ids", at::arange(5, at::kLong));
    save_tensors(file("image_encoder", "model"), other);
    EXPECT_TRUE(at::equal(tower_output(opened()), expected));
    expect_whole();
}

TEST_F(PublishedVariants, T5ComesWithSharedWeightAlone) {
    const at::Tensor expected = text_output(opened());
    for (const char* name : {"shared.weight", "encoder.embed_tokens.weight"}) {
        TensorMap tensors = load_tensors(file("text_encoder", "model"));
        TensorMap::node_type embedding = tensors.extract("shared.weight");
        if (embedding.empty()) embedding = tensors.extract("encoder.embed_tokens.weight");
        ASSERT_FALSE(embedding.empty());
        tensors.erase("encoder.embed_tokens.weight");
        embedding.key() = name;
        tensors.insert(std::move(embedding));
        save_tensors(file("text_encoder", "model"), tensors);
        EXPECT_TRUE(at::equal(text_output(opened()), expected)) << name;
        expect_whole();
    }
}

TEST_F(PublishedVariants, T5MayCarryItsEmbeddingTwice) {
    const at::Tensor expected = text_output(opened());
    TensorMap tensors = load_tensors(file("text_encoder", "model"));
    const bool shared = tensors.contains("shared.weight");
    const at::Tensor embedding = tensors.at(shared ? "shared.weight" : "encoder.embed_tokens.weight").clone();
    tensors.insert_or_assign("shared.weight", embedding);
    tensors.insert_or_assign("encoder.embed_tokens.weight", embedding.clone());
    save_tensors(file("text_encoder", "model"), tensors);
    EXPECT_TRUE(at::equal(text_output(opened()), expected));
    expect_whole();
}

// As the published loaders do: diffusers prefers the index, transformers the single file.
TEST_F(PublishedVariants, ASingleFileMayLieBesideAnIndex) {
    const at::Tensor text = text_output(opened());
    const std::string transformer = opened().store("transformer")->fingerprint();
    const auto keep = [&](const std::string& part, const std::string& stem) {
        std::filesystem::copy_file(file(part, stem), folder_.path() / part);
        shard(part, stem);
    };
    keep("transformer", "diffusion_pytorch_model");
    keep("text_encoder", "model");
    // What is not read may be anything.
    save_tensors(file("transformer", "diffusion_pytorch_model"), {{"x", at::zeros({1})}});
    std::filesystem::rename(folder_.path() / "text_encoder", file("text_encoder", "model"));
    std::filesystem::remove(model() / "text_encoder" / "model-00001-of-00002.safetensors");
    EXPECT_EQ(opened().store("transformer")->fingerprint(), transformer);
    EXPECT_TRUE(at::equal(text_output(opened()), text));
    expect_whole();
}

TEST_F(PublishedVariants, EveryPartMayComeInShards) {
    const at::Tensor expected = tower_output(opened());
    const std::string transformer = opened().store("transformer")->fingerprint();
    const std::string vae = opened().store("vae")->fingerprint();
    shard("transformer", "diffusion_pytorch_model");
    shard("vae", "diffusion_pytorch_model");
    shard("text_encoder", "model");
    shard("image_encoder", "model");
    EXPECT_EQ(opened().store("transformer")->fingerprint(), transformer);
    EXPECT_EQ(opened().store("vae")->fingerprint(), vae);
    EXPECT_TRUE(at::equal(tower_output(opened()), expected));
    expect_whole();
}

}  // namespace
}  // namespace mirror::engine
