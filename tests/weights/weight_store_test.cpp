// Checkpoints on disk: which file is taken, what is refused by name, and that reading copies nothing.

#include "engine/weights/weight_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "engine/core/result.h"
#include "engine/formats/sha256.h"
#include "engine/formats/shard_index.h"
#include "engine/weights/mapped_file.h"
#include "engine/weights/tensor_file.h"
#include "tests/support/scratch_folder.h"

namespace mirror::engine {
namespace {

namespace fs = std::filesystem;

class WeightStoreTest : public ::testing::Test {
protected:
    const fs::path& folder() const { return scratch_.path(); }
    void put(const std::string& name, const std::string& text) const {
        std::ofstream(folder() / name, std::ios::binary) << text;
    }
    void put_index(const std::map<std::string, std::string>& file_of,
                   const std::string& name = "model.safetensors.index.json") const {
        put(name, formats::shard_index_json(file_of, 0));
    }
    void put_two_shards() const {
        save_tensors(folder() / "s1.safetensors", {{"a", at::ones({2, 3})}, {"b", at::zeros({4})}});
        save_tensors(folder() / "s2.safetensors", {{"c", at::full({1}, 5.0)}});
        put_index({{"a", "s1.safetensors"}, {"b", "s1.safetensors"}, {"c", "s2.safetensors"}});
    }
    std::string refusal(ErrorCode code, const WeightStoreOptions& options = {}) const {
        return refused(code, [&] { WeightStore::open(folder(), "model", options); });
    }
    static std::string refused(ErrorCode code, const std::function<void()>& work) {
        try {
            work();
        } catch (const EngineError& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_LT(std::string(error.what()).size(), 300u) << error.what();
            return error.what();
        }
        return "accepted";
    }
    static bool says(const std::string& sentence, const std::string& fragment) {
        if (sentence.find(fragment) != std::string::npos) return true;
        ADD_FAILURE() << "'" << sentence << "' does not say '" << fragment << "'";
        return false;
    }

    mirror::testing::ScratchFolder scratch_;
};

TEST_F(WeightStoreTest, ReadsASingleFileWithoutCopying) {
    const at::Tensor a = at::arange(6, at::kFloat).reshape({2, 3});
    save_tensors(folder() / "model.safetensors", {{"a", a}, {"b", at::zeros({4}, at::kBFloat16)}}, {{"format", "pt"}});
    const auto store = WeightStore::open(folder());
    EXPECT_TRUE(store->has("a"));
    EXPECT_FALSE(store->has("c"));
    EXPECT_EQ(store->shape_of("a"), (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(store->unread(), (std::vector<std::string>{"a", "b"}));
    const at::Tensor first = store->read("a", {2, 3});
    EXPECT_TRUE(first.equal(a));
    EXPECT_EQ(first.const_data_ptr(), store->read("a", {2, 3}).const_data_ptr());
    EXPECT_EQ(store->unread(), (std::vector<std::string>{"b"}));
    EXPECT_EQ(store->read_any("b").scalar_type(), at::kBFloat16);
    EXPECT_EQ(store->bytes(), 24u + 8u);
    EXPECT_EQ(store->metadata().at("format"), "pt");
}

TEST_F(WeightStoreTest, ATensorKeepsItsMappingAlive) {
    save_tensors(folder() / "model.safetensors", {{"a", at::full({1000}, 3.0)}});
    at::Tensor a;
    {
        const auto store = WeightStore::open(folder());
        a = store->read("a", {1000});
    }
    fs::remove(folder() / "model.safetensors");
    EXPECT_EQ(a.sum().item<float>(), 3000);
}

TEST_F(WeightStoreTest, AScopeWithTheSameTypeAliasesTheFile) {
    save_tensors(folder() / "model.safetensors", {{"x.a", at::ones({4})}});
    const auto store = WeightStore::open(folder());
    const WeightScope scope(store, Placement{at::kFloat, at::kCPU});
    EXPECT_EQ((scope / "x").tensor("a", {4}).const_data_ptr(), store->read_any("x.a").const_data_ptr());
}

TEST_F(WeightStoreTest, WeightsAreFloatingPointNumbers) {
    save_tensors(folder() / "model.safetensors", {{"a", at::ones({2, 3}, at::kInt)}});
    const WeightScope scope(WeightStore::open(folder(), "model"), {at::kFloat, at::kCPU});
    says(refused(ErrorCode::ShapeMismatch, [&] { scope.tensor("a", {2, 3}); }), "tensor a");
    EXPECT_EQ(scope.tensor_as_stored("a", {2, 3}).scalar_type(), at::kInt);
}

TEST_F(WeightStoreTest, ReadsShards) {
    put_two_shards();
    const auto store = WeightStore::open(folder());
    EXPECT_EQ(store->names(), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(store->read("c", {1}).item<float>(), 5);
    EXPECT_EQ(WeightStore::open(folder() / "model.safetensors.index.json")->names().size(), 3u);
    EXPECT_EQ(WeightStore::open(folder() / "s1.safetensors")->names().size(), 2u);
}

TEST_F(WeightStoreTest, PrefersWhatThePublishedLoadersPrefer) {
    for (const std::string stem : {"model", "diffusion_pytorch_model"}) {
        save_tensors(folder() / (stem + ".safetensors"), {{"single", at::ones({1})}});
        save_tensors(folder() / "s.safetensors", {{"sharded", at::ones({1})}});
        put_index({{"sharded", "s.safetensors"}}, stem + ".safetensors.index.json");
        EXPECT_EQ(WeightStore::open(folder(), stem)->has("single"), stem == "model") << stem;
    }
}

TEST_F(WeightStoreTest, SaysWhatIsMissing) {
    says(refused(ErrorCode::MissingFile, [&] { WeightStore::open(folder() / "none"); }), "none");
    says(refusal(ErrorCode::MissingFile), "no model.safetensors");
    save_tensors(folder() / "model.safetensors", {{"a", at::ones({2, 3})}});
    const auto store = WeightStore::open(folder());
    const auto missing = refused(ErrorCode::MissingTensor, [&] { store->read("blocks.0.b", {1}); });
    says(missing, "blocks.0.b");
    says(missing, "model.safetensors");
    const auto misshapen = refused(ErrorCode::ShapeMismatch, [&] { store->read("a", {3, 2}); });
    says(misshapen, "tensor a");
    says(misshapen, "model.safetensors");
    says(misshapen, "[2, 3], expected [3, 2]");
}

TEST_F(WeightStoreTest, RefusesShardsThatContradictTheIndex) {
    put_two_shards();
    put_index({{"a", "s1.safetensors"}, {"b", "s1.safetensors"}, {"c", "s2.safetensors"}, {"d", "s2.safetensors"}});
    says(refusal(ErrorCode::MissingTensor), "tensor d is not in");
    put_index({{"a", "s1.safetensors"}, {"c", "s2.safetensors"}});
    says(refusal(ErrorCode::MalformedFile), "tensor b is in");
    put_index({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}, {"c", "s2.safetensors"}});
    says(refusal(ErrorCode::MalformedFile), "tensor b is in");
    save_tensors(folder() / "s2.safetensors", {{"c", at::ones({1})}, {"a", at::ones({2, 3})}});
    put_index({{"a", "s1.safetensors"}, {"b", "s1.safetensors"}, {"c", "s2.safetensors"}});
    says(refusal(ErrorCode::MalformedFile), "tensor a is in two shards");
}

TEST_F(WeightStoreTest, NamesAllMissingShards) {
    put_index({{"a", "s1.safetensors"},
               {"b", "s2.safetensors"},
               {"c", "s3.safetensors"},
               {"d", "s4.safetensors"},
               {"e", "s5.safetensors"}});
    says(refusal(ErrorCode::MissingFile), "s1.safetensors, s2.safetensors, s3.safetensors and 2 more");
}

TEST_F(WeightStoreTest, ShardsAreRegularFilesOfTheFolder) {
    put_two_shards();
    fs::rename(folder() / "s2.safetensors", folder() / "elsewhere");
    fs::create_symlink(folder() / "elsewhere", folder() / "s2.safetensors");
    says(refusal(ErrorCode::MalformedFile), "symbolic link");
    // In a model cache the index itself is a link; then its shards may be.
    fs::rename(folder() / "model.safetensors.index.json", folder() / "index");
    fs::create_symlink(folder() / "index", folder() / "model.safetensors.index.json");
    EXPECT_EQ(refusal(ErrorCode::Internal), "accepted");
    fs::remove(folder() / "s2.safetensors");
    ASSERT_EQ(::mkfifo((folder() / "s2.safetensors").c_str(), 0600), 0);
    says(refusal(ErrorCode::MalformedFile), "not a regular file");
}

TEST_F(WeightStoreTest, MetadataOfShardsMayHaveToAgree) {
    save_tensors(folder() / "s1.safetensors", {{"a", at::ones({1})}}, {{"k", "1"}});
    save_tensors(folder() / "s2.safetensors", {{"b", at::ones({1})}}, {{"k", "2"}});
    put_index({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}});
    EXPECT_EQ(refusal(ErrorCode::Internal), "accepted");
    WeightStoreOptions options;
    options.same_metadata = true;
    says(refusal(ErrorCode::MalformedFile, options), "s2.safetensors has other metadata");
}

TEST_F(WeightStoreTest, TakesAnOptionalPrefixOffAndIgnoresNames) {
    WeightStoreOptions options;
    options.optional_prefix = "vision_model.";
    options.ignored = {"visual_projection.*", "*.position_ids"};
    save_tensors(folder() / "model.safetensors", {{"vision_model.a", at::ones({1})},
                                                  {"b", at::ones({1})},
                                                  {"visual_projection.weight", at::ones({1})},
                                                  {"vision_model.embeddings.position_ids", at::zeros({1}, at::kLong)}});
    const auto store = WeightStore::open(folder(), "model", options);
    EXPECT_EQ(store->names(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(store->unread(), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(store->has("visual_projection.weight"));
    save_tensors(folder() / "model.safetensors", {{"vision_model.a", at::ones({1})}, {"a", at::ones({1})}});
    says(refusal(ErrorCode::MalformedFile, options), "tensor a is twice in");
}

TEST_F(WeightStoreTest, MayRefuseNumbersThatAreNotFinite) {
    WeightStoreOptions options;
    options.finite = true;
    for (const double bad :
         {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
        at::Tensor a = at::ones({5'000'000}, at::kHalf);
        a[4'999'999] = bad;
        save_tensors(folder() / "model.safetensors", {{"a", a}, {"b", at::ones({1}, at::kLong)}});
        const auto store = WeightStore::open(folder(), "model", options);
        says(refused(ErrorCode::MalformedFile, [&] { store->read_any("a"); }), "tensor a");
        EXPECT_NO_THROW(store->read_any("b"));
        EXPECT_NO_THROW(WeightStore::open(folder())->read_any("a"));
    }
}

TEST_F(WeightStoreTest, RefusesDamagedFilesByName) {
    put("model.safetensors", "short");
    says(refusal(ErrorCode::MalformedFile), "model.safetensors is not a valid safetensors file");
    put("model.safetensors", "");
    says(refusal(ErrorCode::MalformedFile), "only 0 bytes");
    fs::remove(folder() / "model.safetensors");
    put("model.safetensors.index.json", R"({"weight_map":{"t":"../model.safetensors"}})");
    says(refusal(ErrorCode::MalformedFile), "not a plain name");
    put("model.safetensors", "");
    fs::resize_file(folder() / "model.safetensors", std::uintmax_t{1} << 40);  // A sparse TiB of zeros.
    says(refusal(ErrorCode::MalformedFile), "states 0 bytes");
}

TEST_F(WeightStoreTest, DataOffItsAlignmentIsStillRead) {
    // A header of odd length, which our writer never makes.
    const std::string json = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})" + std::string(1, ' ');
    ASSERT_EQ(json.size() % 4, 3u);
    const std::array<float, 2> values = {1.5F, -2.0F};
    std::string file(8, '\0');
    file[0] = static_cast<char>(json.size());
    put("model.safetensors", file + json + std::string(reinterpret_cast<const char*>(values.data()), 8));
    for (const at::Tensor& a :
         {WeightStore::open(folder())->read("a", {2}), load_tensors(folder() / "model.safetensors").at("a")}) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.const_data_ptr()) % 4, 0u);
        EXPECT_EQ(a[0].item<float>(), 1.5F);
        EXPECT_EQ(a[1].item<float>(), -2.0F);
    }
}

TEST_F(WeightStoreTest, TheFingerprintIsAsTheFormatSays) {
    const at::Tensor small = at::arange(10, at::kFloat);
    const at::Tensor large = at::arange(3000, at::kFloat).reshape({30, 100});
    save_tensors(folder() / "model.safetensors", {{"b.small", small}, {"a.large", large}}, {{"any", "metadata"}});
    const auto bytes = [](const at::Tensor& t) {
        return std::string(static_cast<const char*>(t.const_data_ptr()), t.nbytes());
    };
    const std::string all = bytes(large);
    const std::string expected = std::string("a.large\0F32\0", 12) + std::string("30,100\0", 7) + all.substr(0, 4096) +
                                 all.substr(all.size() - 4096) + std::string("b.small\0F32\0", 12) +
                                 std::string("10\0", 3) + bytes(small);
    EXPECT_EQ(WeightStore::open(folder())->fingerprint(), formats::sha256_hex(expected));
}

TEST_F(WeightStoreTest, TheFingerprintDoesNotDependOnShardsOrOptions) {
    put_two_shards();
    const auto sharded = WeightStore::open(folder())->fingerprint();
    fs::remove(folder() / "model.safetensors.index.json");
    save_tensors(folder() / "model.safetensors",
                 {{"a", at::ones({2, 3})}, {"b", at::zeros({4})}, {"c", at::full({1}, 5.0)}});
    EXPECT_EQ(WeightStore::open(folder())->fingerprint(), sharded);
    WeightStoreOptions options;
    options.ignored = {"a"};
    EXPECT_EQ(WeightStore::open(folder(), "model", options)->fingerprint(), sharded);
}

}  // namespace
}  // namespace mirror::engine
