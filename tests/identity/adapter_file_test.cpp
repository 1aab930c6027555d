#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "engine/core/result.h"
#include "engine/formats/shard_index.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "tests/identity/tiny_adapter.h"

namespace mirror::engine::magic_mirror::testing {
namespace {

namespace fs = std::filesystem;

struct Content {
    TensorMap tensors;
    formats::Metadata metadata;
};

// A folder of its own for every test, removed at its end.
class AdapterFileTest : public ::testing::Test {
protected:
    AdapterFileTest()
        : folder_(fs::temp_directory_path() / (std::string("adapter-") + std::to_string(::getpid()) + "-" +
                                               ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
        fs::create_directories(folder_);
    }
    ~AdapterFileTest() override { fs::remove_all(folder_); }

    fs::path path(const std::string& name) const { return folder_ / name; }

    fs::path write(const Content& content, const std::string& name = "adapter.safetensors") const {
        save_tensors(path(name), content.tensors, content.metadata);
        return path(name);
    }

private:
    fs::path folder_;
};

Content tiny_content(const AdapterConfig& config = tiny_config()) {
    Content content;
    for (const auto& entry : adapter_tensors(config)) {
        content.tensors[entry.name] =
            engine::testing::deterministic_parameter(entry.name, entry.shape).to(at::kBFloat16);
    }
    content.metadata = adapter_metadata(config, {});
    return content;
}

template <typename Build>
void bundle(Content& content, const std::string& prefix, Build build) {
    const auto recorder = std::make_shared<ShapeRecorder>();
    build(WeightScope(recorder, {}));
    for (const auto& entry : recorder->entries()) {
        content.tensors[prefix + entry.name] = engine::testing::deterministic_parameter(entry.name, entry.shape);
    }
}

void bundle_clip(Content& content) {
    bundle(content, "frozen.clip_vision.",
           [](const WeightScope& scope) { ClipVision(scope, tiny_config().clip_vision); });
}

void bundle_perceiver(Content& content) {
    bundle(content, "frozen.perceiver_id.", [](const WeightScope& scope) {
        PerceiverId(scope, {tiny_config().perceiver_id, 32});
    });
}

std::string refusal(const fs::path& file, const AdapterOpening& opening = {}) {
    try {
        AdapterFile::open(file, opening);
    } catch (const EngineError& error) {
        EXPECT_LT(std::string(error.what()).size(), 300u);
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.what();
    }
    return "";
}

AdapterOpening opening_with_base(const std::function<void(cogvideox::TransformerConfig&)>& edit = nullptr) {
    AdapterOpening opening;
    opening.base = tiny_base_config();
    if (edit) edit(*opening.base);
    return opening;
}

TEST_F(AdapterFileTest, RoundTripGivesTheSameNumbersAndMetadata) {
    AdapterOrigin origin;
    origin.further = {{"license", "non-commercial"}, {"x-note", "kept"}};
    Content content = tiny_content();
    content.metadata = adapter_metadata(tiny_config(), origin);
    const AdapterFile file = AdapterFile::open(write(content), opening_with_base());
    EXPECT_EQ(file.config(), tiny_config());
    EXPECT_EQ(file.metadata(), content.metadata);
    EXPECT_TRUE(file.warnings().empty());
    EXPECT_FALSE(file.has_clip_vision());
    EXPECT_FALSE(file.has_perceiver_id());

    const TinyInputs inputs;
    TinyModel model(tiny_config());
    for (auto& [name, tensor] : content.tensors) tensor = tensor.to(at::kFloat);
    const CrossModalAdapter loaded(file.weights({}), file.config());
    MagicMirrorHook hook(loaded, make_conditioning(loaded, inputs.id_embeds, inputs.face_tokens), {});
    const at::Tensor sample = forward_with_adapter(model.base, inputs.transformer, hook);

    save_tensors(path("again.safetensors"), content.tensors, content.metadata);  // The same numbers, stored as F32.
    const AdapterFile again = AdapterFile::open(path("again.safetensors"));
    const CrossModalAdapter reloaded(again.weights({}), again.config());
    MagicMirrorHook second(reloaded, make_conditioning(reloaded, inputs.id_embeds, inputs.face_tokens), {});
    EXPECT_TRUE(at::equal(sample, forward_with_adapter(model.base, inputs.transformer, second)));
}

struct MetadataCase {
    const char* field;
    std::optional<std::string> value;  // Empty: the field is taken away.
    const char* named;
};

TEST_F(AdapterFileTest, MetadataIsRefusedByTheName) {
    std::string odd = to_json(tiny_config());
    odd.replace(odd.find("\"depth\":2"), 9, "\"depth\":0");
    const MetadataCase cases[] = {
        {"format", std::nullopt, "format"},
        {"format_version", std::nullopt, "format_version"},
        {"arch", std::nullopt, "arch"},
        {"config", std::nullopt, "config"},
        {"id_pack", std::nullopt, "id_pack"},
        {"id_embedding_norm", std::nullopt, "id_embedding_norm"},
        {"format", "lora", "format"},
        {"format_version", "2", "format_version"},
        {"format_version", "0", "format_version"},
        {"format_version", "1.0", "format_version"},
        {"format_version", "", "format_version"},
        {"format_version", "+1", "format_version"},
        {"format_version", "99999999999999999999", "format_version"},
        {"arch", "flux", "arch"},
        {"id_embedding_norm", "l2", "id_embedding_norm"},
        {"config", "not json", "config"},
        {"config", odd, "perceiver_face.depth"},
        {"clip_layers", R"({"id":-2,"face":-2,"post_ln":false})", "clip_layers"},
        {"clip_layers", R"({"id":-1,"face":-2,"post_ln":true})", "clip_layers"},
        {"clip_layers", "nonsense", "clip_layers"},
        {"trigger_word", "ohwx", "trigger_word"},
    };
    for (const MetadataCase& one : cases) {
        Content content = tiny_content();
        content.metadata.erase(one.field);
        if (one.value) content.metadata[one.field] = *one.value;
        EXPECT_NE(refusal(write(content)).find(one.named), std::string::npos)
            << one.field << " " << one.value.value_or("-");
    }
}

TEST_F(AdapterFileTest, OptionalMetadataMayBeAbsentAndUnknownFieldsStay) {
    Content content = tiny_content();
    formats::Metadata few;
    for (const char* field : {"format", "format_version", "arch", "config", "id_pack", "id_embedding_norm"}) {
        few[field] = content.metadata.at(field);
    }
    few["something"] = "else";
    few["arch"] = "cogvideox-whatever";
    few["format_version"] = "01";
    content.metadata = few;
    EXPECT_EQ(refusal(write(content)), "");
    EXPECT_EQ(AdapterFile::open(path("adapter.safetensors")).metadata(), few);
}

TEST_F(AdapterFileTest, AnotherRecogniserIsRefusedUnlessAllowed) {
    const fs::path file = write(tiny_content());
    AdapterOpening opening;
    opening.id_pack = "antelopev2/glintr100";
    EXPECT_NE(refusal(file, opening).find("id_pack"), std::string::npos);
    opening.allow_id_pack_mismatch = true;
    EXPECT_EQ(refusal(file, opening), "");
    opening = {};
    opening.id_pack = "buffalo_l/w600k_r50";
    EXPECT_EQ(refusal(file, opening), "");
}

TEST_F(AdapterFileTest, ABaseModelOfOtherSizesOrKindIsRefused) {
    using Base = cogvideox::TransformerConfig;
    const fs::path file = write(tiny_content());
    EXPECT_EQ(refusal(file, opening_with_base()), "");
    const std::pair<const char*, std::function<void(Base&)>> cases[] = {
        {"dit.num_layers", [](Base& b) { b.num_layers = 6; }},
        {"dit.num_attention_heads", [](Base& b) { b.num_attention_heads = 2; }},
        {"dit.attention_head_dim", [](Base& b) { b.attention_head_dim = 32; }},
        {"dit.time_embed_dim", [](Base& b) { b.time_embed_dim = 64; }},
        {"dit.text_embed_dim", [](Base& b) { b.text_embed_dim = 64; }},
        {"dit.max_text_seq_length", [](Base& b) { b.max_text_seq_length = 226; }},
        {"dit.in_channels", [](Base& b) { b.in_channels = 8; }},
        {"dit.patch_size", [](Base& b) { b.patch_size = 4; }},
        {"patch_size_t", [](Base& b) { b.patch_size_t = 2; }},
        {"use_rotary_positional_embeddings", [](Base& b) { b.use_rotary_positional_embeddings = false; }},
        {"ofs_embed_dim", [](Base& b) { b.ofs_embed_dim = 32; }},
        {"in_channels", [](Base& b) { b.out_channels = 2; }},
    };
    for (const auto& [named, edit] : cases) {
        EXPECT_NE(refusal(file, opening_with_base(edit)).find(named), std::string::npos) << named;
    }
}

TEST_F(AdapterFileTest, ATensorIsRefusedByItsName) {
    using Edit = std::function<void(TensorMap&)>;
    const std::pair<const char*, Edit> cases[] = {
        {"router.weight", [](TensorMap& t) { t["router.weight"] = at::zeros({2}); }},
        {"blocks.1.attn_ca.to_k.weight",
         [](TensorMap& t) {
             t["blocks.1.attn_ca.to_k.weight"] = at::zeros({64, 64});
         }},
        {"perceiver_face.pos",
         [](TensorMap& t) {
             t["perceiver_face.pos"] = at::zeros({4, 64});
         }},
        {"fuse.norm.weight", [](TensorMap& t) { t["fuse.norm.weight"] = at::zeros({48}); }},
        {"frozen.vae.weight", [](TensorMap& t) { t["frozen.vae.weight"] = at::zeros({1}); }},
        {"frozen.other", [](TensorMap& t) { t["frozen.other"] = at::zeros({1}); }},
        {"perceiver_face.queries",
         [](TensorMap& t) {
             t["perceiver_face.queries"] = at::zeros({5, 32});
         }},
        {"fuse.mlp1.fc1.bias",
         [](TensorMap& t) {
             t["fuse.mlp1.fc1.bias"] = at::zeros({1, 48});
         }},
        {"can.id_proj.weight",
         [](TensorMap& t) {
             t["can.id_proj.weight"] = at::zeros({16, 64}, at::kDouble);
         }},
        {"can.id_proj.bias", [](TensorMap& t) { t["can.id_proj.bias"] = at::zeros({16}, at::kLong); }},
        {"blocks.2.mod_cond.fc2.bias", [](TensorMap& t) { t.erase("blocks.2.mod_cond.fc2.bias"); }},
    };
    for (const auto& [named, edit] : cases) {
        Content content = tiny_content();
        edit(content.tensors);
        EXPECT_NE(refusal(write(content)).find(named), std::string::npos) << named;
    }
    Content content = tiny_content();
    content.tensors["x.anything"] = at::zeros({3}, at::kLong);
    content.tensors["fuse.mlp1.fc1.bias"] = content.tensors["fuse.mlp1.fc1.bias"].to(at::kHalf);
    EXPECT_EQ(refusal(write(content)), "");
}

TEST_F(AdapterFileTest, FrozenPartsAreCompleteOrAbsent) {
    Content content = tiny_content();
    bundle_clip(content);
    bundle_perceiver(content);
    const AdapterFile file = AdapterFile::open(write(content));
    EXPECT_TRUE(file.has_clip_vision());
    EXPECT_TRUE(file.has_perceiver_id());
    const ClipVision tower(file.clip_vision({}), file.config().clip_vision);
    const auto features = tower(deterministic_input("input.pixel_values", {2, 3, 32, 32}));
    EXPECT_LT(largest_difference(features.last_hidden_state, golden("clip.last_hidden_state")), 1e-5);
    const PerceiverId perceiver(file.perceiver_id({}), {file.config().perceiver_id, 32});
    EXPECT_LT(
        largest_difference(perceiver(deterministic("input.face_embedding", {2, 16}, 0, 20), features.last_hidden_state),
                           golden("perceiver_id")),
        1e-5);
    for (const char* missing : {"frozen.clip_vision.post_layernorm.bias", "frozen.perceiver_id.token_norm.weight"}) {
        Content less = content;
        less.tensors.erase(missing);
        EXPECT_NE(refusal(write(less)).find(missing), std::string::npos);
    }
    content.tensors["frozen.clip_vision.vision_model.class_embedding"] = at::zeros({32});
    EXPECT_NE(refusal(write(content)).find("frozen.clip_vision.vision_model.class_embedding"), std::string::npos);
}

TEST_F(AdapterFileTest, OverridesDecideWhichTensorsThereMustBe) {
    const fs::path file = write(tiny_content());
    AdapterOpening opening;
    opening.overrides = {{"face_scale", "0.5"}, {"ca_merge", "post_out"}};
    EXPECT_EQ(AdapterFile::open(file, opening).config().switches.face_scale, 0.5);
    opening.overrides = {{"face_rope", "learned_pos"}};
    EXPECT_NE(refusal(file, opening).find("perceiver_face.pos"), std::string::npos);
    opening.overrides = {{"adapter_layers", "all"}};
    EXPECT_NE(refusal(file, opening).find("blocks.1."), std::string::npos);
    opening.overrides = {{"phi_face", "off"}};
    EXPECT_NE(refusal(file, opening).find("phi_face"), std::string::npos);
    opening.overrides = {{"colour", "on"}};
    EXPECT_NE(refusal(file, opening).find("colour"), std::string::npos);
}

TEST_F(AdapterFileTest, TheFileComesBeforeFieldsAndFieldsBeforeTensors) {
    EXPECT_NE(refusal(path("none.safetensors")).find("none.safetensors"), std::string::npos);
    std::ofstream(path("noise.safetensors")) << "this is not a safetensors file";
    EXPECT_NE(refusal(path("noise.safetensors")).find("noise.safetensors"), std::string::npos);
    const fs::path whole = write(tiny_content(), "cut.safetensors");
    fs::resize_file(whole, fs::file_size(whole) - 10);
    EXPECT_NE(refusal(whole).find("cut.safetensors"), std::string::npos);

    Content content = tiny_content();
    content.tensors.erase("fuse.mlp1.fc1.bias");
    content.metadata["trigger_word"] = "ohwx";
    EXPECT_NE(refusal(write(content)).find("trigger_word"), std::string::npos);
    content.metadata["config"] = "[]";
    EXPECT_NE(refusal(write(content)).find("config"), std::string::npos);
    content.metadata["arch"] = "flux";
    EXPECT_NE(refusal(write(content)).find("arch"), std::string::npos);
    content = tiny_content();
    content.tensors["router.x"] = at::zeros({1});
    content.tensors.erase("fuse.mlp1.fc1.bias");
    EXPECT_NE(refusal(write(content)).find("router.x"), std::string::npos);
    EXPECT_NE(refusal(write(content), opening_with_base([](auto& b) { b.num_layers = 2; })).find("dit.num_layers"),
              std::string::npos);
}

TEST_F(AdapterFileTest, ShardsAreOneAdapter) {
    const Content whole = tiny_content();
    Content shards[2];
    std::map<std::string, std::string> file_of;
    std::uint64_t bytes = 0;
    for (const auto& [name, tensor] : whole.tensors) {
        const std::size_t shard = name.starts_with("blocks.") ? 1 : 0;
        shards[shard].tensors[name] = tensor;
        file_of[name] = shard == 0 ? "a-00001-of-00002.safetensors" : "a-00002-of-00002.safetensors";
        bytes += tensor.nbytes();
    }
    const fs::path index = path("a.safetensors.index.json");
    std::ofstream(index) << formats::shard_index_json(file_of, bytes);
    const auto write_shards = [&] {
        write(shards[0], "a-00001-of-00002.safetensors");
        write(shards[1], "a-00002-of-00002.safetensors");
    };
    shards[0].metadata = shards[1].metadata = whole.metadata;
    write_shards();
    EXPECT_EQ(AdapterFile::open(index).config(), tiny_config());

    shards[1].metadata["license"] = "another";
    write_shards();
    EXPECT_FALSE(refusal(index).empty());
    shards[1].metadata = whole.metadata;
    shards[1].tensors["fuse.mlp1.fc1.bias"] = at::zeros({48});
    write_shards();
    EXPECT_NE(refusal(index).find("fuse.mlp1.fc1.bias"), std::string::npos);
}

TEST_F(AdapterFileTest, NamesFromTheFileAreOneShortLine) {
    Content content = tiny_content();
    content.tensors[std::string(900, 'n') + "\nsecond line\x1b"] = at::zeros({1});
    EXPECT_NE(refusal(write(content)), "");
    content = tiny_content();
    content.metadata["arch"] = "\n" + std::string(5000, 'a');
    EXPECT_NE(refusal(write(content)).find("arch"), std::string::npos);
    content = tiny_content();
    content.metadata["trigger_word"] = std::string(5000, 't');
    EXPECT_NE(refusal(write(content)).find("trigger_word"), std::string::npos);
}

TEST_F(AdapterFileTest, NumbersThatAreNoneAreRefusedWhereAsked) {
    Content content = tiny_content();
    content.tensors["can.id_proj.bias"].fill_(NAN);
    AdapterOpening opening;
    EXPECT_NO_THROW(CrossModalAdapter(AdapterFile::open(write(content)).weights({}), tiny_config()));
    opening.finite = true;
    const AdapterFile file = AdapterFile::open(path("adapter.safetensors"), opening);
    EXPECT_THROW(CrossModalAdapter(file.weights({}), tiny_config()), EngineError);
}

TEST_F(AdapterFileTest, AFolderIsOpenedByItsAdapterFile) {
    write(tiny_content());
    EXPECT_EQ(AdapterFile::open(path("")).config(), tiny_config());
}

TEST_F(AdapterFileTest, AnotherBaseFingerprintIsOneWarning) {
    Content content = tiny_content();
    content.metadata["base_model_sha256"] = std::string(64, 'a');
    AdapterOpening opening = opening_with_base();
    opening.base_fingerprint = std::string(64, 'b');
    const AdapterFile file = AdapterFile::open(write(content), opening);
    ASSERT_EQ(file.warnings().size(), 1u);
    EXPECT_NE(file.warnings()[0].find("base_model_sha256"), std::string::npos);
    opening.base_fingerprint = std::string(64, 'a');
    EXPECT_TRUE(AdapterFile::open(path("adapter.safetensors"), opening).warnings().empty());
}

}  // namespace
}  // namespace mirror::engine::magic_mirror::testing
