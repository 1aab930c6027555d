#include <gtest/gtest.h>

#include <string>

#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/adapter_config.h"

namespace mirror::engine::magic_mirror {
namespace {

AdapterConfig preset(const char* name) { return value_or_throw(adapter_preset(name)); }

std::string tiny_json() { return to_json(preset("tiny")); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& json) {
    const auto parsed = parse_adapter_config(json);
    return parsed.ok() ? "" : parsed.error().detail;
}

TEST(AdapterConfig, TheJsonOfTinyIsExactly) {
    EXPECT_EQ(
        tiny_json(),
        R"({"can":{"hidden_dim":32,"id_vector_dim":16},"clip_vision":{"hidden_size":32,"image_size":32,"intermediate_size":64,)"
        R"("num_attention_heads":2,"num_hidden_layers":3,"patch_size":8},"dit":{"attention_head_dim":16,"in_channels":4,)"
        R"("max_text_seq_length":16,"num_attention_heads":4,"num_layers":4,"patch_size":2,"text_embed_dim":48,)"
        R"("time_embed_dim":32},"perceiver_face":{"depth":2,"ff_mult":4,"head_dim":16,"heads":2,"tokens":4,"width":32},)"
        R"("perceiver_id":{"depth":2,"ff_mult":4,"head_dim":16,"heads":2,"id_dim":16,"ratio":4,"tokens":2,"width":32},)"
        R"("switches":{}})");
}

TEST(AdapterConfig, EveryPresetAndSwitchSurvivesTheJson) {
    for (const char* name : {"paper", "lite", "demo", "tiny"}) {
        EXPECT_EQ(value_or_throw(parse_adapter_config(to_json(preset(name)))), preset(name)) << name;
    }
    AdapterConfig config = preset("demo");
    const SwitchOverrides changed{{"text_fuse", "off"},
                                  {"face_in_sa", "off"},
                                  {"face_in_ca", "off"},
                                  {"can", "off"},
                                  {"phi_face", "off"},
                                  {"face_stream", "fresh"},
                                  {"can_mode", "direct"},
                                  {"ca_query", "post_rope"},
                                  {"ca_key_norm", "own"},
                                  {"ca_input", "raw"},
                                  {"ca_targets", "video"},
                                  {"ca_merge", "post_out"},
                                  {"phi_face_hidden", "512"},
                                  {"face_ln", "own"},
                                  {"face_rope", "learned_pos"},
                                  {"fuse_out_norm", "layernorm_t5scale"},
                                  {"adapter_layers", "all"},
                                  {"multi_ref_text", "mean"},
                                  {"multi_ref_face", "mean"},
                                  {"id_vit_layer", "-2"},
                                  {"face_vit_layer", "-1"},
                                  {"face_scale", "0.8"},
                                  {"can_scale", "-1.25"},
                                  {"sa_scale", "1e-3"},
                                  {"cfg_uncond_face", "keep"},
                                  {"start_merge_step", "10"},
                                  {"trigger_word", "ohwx \"=ü\""},
                                  {"ref_crop", "whole"},
                                  {"ref_crop_expand", "1.5"},
                                  {"ca_init", "xavier"},
                                  {"tau_face_init", "tau_id"}};
    ASSERT_EQ(changed.size(), 31u);
    value_or_throw(apply_overrides(config.switches, changed));
    EXPECT_EQ(value_or_throw(parse_adapter_config(to_json(config))), config);
    for (const auto& [name, value] : changed)
        EXPECT_NE(to_json(config).find("\"" + name + "\":"), std::string::npos) << name;
}

TEST(AdapterConfig, RefusalsNameTheKeyOrTheSwitch) {
    const std::string tiny = tiny_json();
    const auto with_switch = [&](const std::string& text) {
        return replaced(tiny, "\"switches\":{}", "\"switches\":{" + text + "}");
    };
    struct Case {
        std::string json;
        const char* named;
    };
    const Case cases[] = {
        {"", "config"},
        {"[]", "config"},
        {"{", "config"},
        {"{}", "config has no can"},
        {replaced(tiny, "\"switches\":{}", "\"other\":{}"), "other"},
        {replaced(tiny, ",\"switches\":{}", ""), "switches"},
        {replaced(tiny, "\"switches\":{}", "\"switches\":[]"), "switches"},
        {replaced(tiny, "\"switches\":{}", "\"router\":{},\"switches\":{}"), "router"},
        {replaced(tiny, "\"can\":{", "\"can\":{\"extra\":1,"), "can.extra"},
        {replaced(tiny, "\"depth\":2", "\"depth\":0"), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2", "\"depth\":2.0"), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2", "\"depth\":\"2\""), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2", "\"depth\":true"), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2", "\"depth\":null"), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2,", ""), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2", "\"depth\":1000000"), "perceiver_face.depth"},
        {replaced(tiny, "\"depth\":2", "\"depth\":99999999999999999999999"), "perceiver_face.depth"},
        {replaced(tiny, "\"num_layers\":4", "\"num_layers\":-4"), "dit.num_layers"},
        {replaced(tiny, "\"num_attention_heads\":2", "\"num_attention_heads\":3"), "clip_vision.num_attention_heads"},
        {with_switch("\"face_in_so\":\"on\""), "face_in_so"},
        {with_switch("\"id_pack\":\"x\""), "id_pack"},
        {with_switch("\"can\":true"), "can"},
        {with_switch("\"can\":\"On\""), "can"},
        {with_switch("\"phi_face_hidden\":-1"), "phi_face_hidden"},
        {with_switch("\"phi_face_hidden\":8.5"), "phi_face_hidden"},
        {with_switch("\"id_vit_layer\":-3"), "id_vit_layer"},
        {with_switch("\"id_vit_layer\":\"-1\""), "id_vit_layer"},
        {with_switch("\"sa_scale\":-0.1"), "sa_scale"},
        {with_switch("\"sa_scale\":\"1\""), "sa_scale"},
        {with_switch("\"trigger_word\":\"\""), "trigger_word"},
        {with_switch("\"trigger_word\":1"), "trigger_word"},
        {with_switch("\"face_scale\":null"), "face_scale"},
        {with_switch("\"face_scale\":1e999"), "face_scale"},
        {with_switch("\"start_merge_step\":18446744073709551616"), "start_merge_step"},
        {with_switch("\"trigger_word\":\"a\\\"1e999\",\"face_scale\":-1e999"), "face_scale"},
        {replaced(tiny, "\"depth\":2", "\"depth\":02"), "config"},
        {replaced(tiny, "\"depth\":2", "\"depth\":-"), "config"},
        {with_switch("\"face_scale\":1,\"face_scale\":2"), "face_scale"},
        {with_switch("\"phi_face\":\"off\""), "phi_face"},
    };
    for (const Case& one : cases) {
        EXPECT_NE(refusal(one.json).find(one.named), std::string::npos) << one.json << "\n" << refusal(one.json);
        EXPECT_LT(refusal(one.json).size(), 300u);
    }
    EXPECT_EQ(refusal(with_switch("\"phi_face\":\"off\",\"face_in_sa\":\"off\"")), "");
    EXPECT_EQ(refusal(with_switch("\"face_scale\":1000000000000000000000000000000")), "");
    EXPECT_EQ(refusal(with_switch("\"face_scale\":-1,\"can_scale\":2,\"sa_scale\":0")), "");
}

TEST(AdapterConfig, OverridesAreCheckedLikeTheFile) {
    const auto refused = [](const char* name, const char* value) {
        Switches switches;
        const Status set = apply_overrides(switches, {{name, value}});
        return set.ok() ? std::string() : set.error().detail;
    };
    for (const auto& [name, value] : {std::pair{"face_scale", "0.8"},
                                      {"sa_scale", "0"},
                                      {"start_merge_step", "3"},
                                      {"trigger_word", "0"},
                                      {"face_vit_layer", "-1"},
                                      {"can", "off"}}) {
        EXPECT_EQ(refused(name, value), "") << name;
    }
    for (const auto& [name, value] : {std::pair{"face_scale", "fast"},
                                      {"face_scale", "nan"},
                                      {"face_scale", "inf"},
                                      {"face_scale", "1e999"},
                                      {"face_scale", ""},
                                      {"sa_scale", "-1"},
                                      {"start_merge_step", "1.5"},
                                      {"start_merge_step", "-1"},
                                      {"can", "true"},
                                      {"can", ""},
                                      {"trigger_word", ""},
                                      {"nothing", "on"},
                                      {"phi_face", "off"},
                                      {"face_in_sa ", "on"}}) {
        EXPECT_NE(refused(name, value).find(name), std::string::npos) << name << "=" << value;
    }
    EXPECT_EQ(value_or_throw(parse_override("trigger_word=a=b")),
              (std::pair<std::string, std::string>{"trigger_word", "a=b"}));
    EXPECT_FALSE(parse_override("can").ok());
    EXPECT_FALSE(parse_override("=on").ok());
}

TEST(AdapterConfig, AdaptedLayersAreTheEvenOnesOrAll) {
    AdapterConfig config = preset("tiny");
    EXPECT_EQ(config.adapted_layers(), (std::vector<std::int64_t>{0, 2}));
    config.switches.adapter_layers = AdapterLayers::All;
    EXPECT_EQ(config.adapted_layers(), (std::vector<std::int64_t>{0, 1, 2, 3}));
    EXPECT_EQ(preset("paper").adapted_layers().size(), 21u);
    EXPECT_EQ(preset("paper").adapted_layers().back(), 40);
}

struct Count {
    const char* preset;
    std::size_t tensors;
    std::int64_t parameters;
};

TEST(AdapterTensors, PresetsHaveThePublishedCounts) {
    for (const Count& one :
         {Count{"paper", 363, 1734072832}, {"lite", 275, 1331321344}, {"demo", 105, 6832256}, {"tiny", 63, 140528}}) {
        const auto tensors = adapter_tensors(preset(one.preset));
        EXPECT_EQ(tensors.size(), one.tensors) << one.preset;
        EXPECT_EQ(parameter_count(tensors), one.parameters) << one.preset;
    }
}

TEST(AdapterTensors, PartsHaveThePublishedCounts) {
    const auto part = [](const char* name, const char* prefix) {
        std::vector<ShapeRecorder::Entry> entries;
        for (const auto& entry : adapter_tensors(preset(name))) {
            if (entry.name.starts_with(prefix)) entries.push_back(entry);
        }
        return parameter_count(entries);
    };
    EXPECT_EQ(part("demo", "perceiver_face."), 3269632);
    EXPECT_EQ(part("demo", "fuse."), 330240);
    EXPECT_EQ(part("demo", "can.id_proj."), 65664);
    EXPECT_EQ(part("demo", "blocks."), 3166720);
    EXPECT_EQ(part("tiny", "perceiver_face."), 28384);
    EXPECT_EQ(part("tiny", "fuse."), 11200);
    EXPECT_EQ(part("tiny", "can.id_proj."), 1040);
    EXPECT_EQ(part("tiny", "blocks."), 99904);
    EXPECT_EQ(part("paper", "blocks.0.mod_face."), 9455616);
    EXPECT_EQ(part("paper", "blocks.0.attn_ca."), 18880512);
    EXPECT_EQ(part("paper", "blocks.0.mod_cond."), 21271040);
    EXPECT_EQ(part("paper", "fuse."), 75534336);
}

TEST(AdapterTensors, OnlyTheMarkedSwitchesChangeTheFile) {
    const auto count = [](const SwitchOverrides& switches) {
        AdapterConfig config = preset("tiny");
        value_or_throw(apply_overrides(config.switches, switches));
        return adapter_tensors(config).size();
    };
    EXPECT_EQ(count({{"face_rope", "learned_pos"}}), 64u);
    EXPECT_EQ(count({{"phi_face_hidden", "8"}}), 63u + 2 * 2);
    EXPECT_EQ(count({{"ca_key_norm", "own"}}), 63u + 2 * 2);
    EXPECT_EQ(count({{"face_ln", "own"}}), 63u + 2 * 4);
    EXPECT_EQ(count({{"fuse_out_norm", "layernorm"}}), 65u);
    EXPECT_EQ(count({{"fuse_out_norm", "layernorm_t5scale"}}), 65u);
    EXPECT_EQ(count({{"adapter_layers", "all"}}), 63u + 2 * 10);
    EXPECT_EQ(count({{"text_fuse", "off"},
                     {"face_in_sa", "off"},
                     {"face_in_ca", "off"},
                     {"can", "off"},
                     {"phi_face", "off"},
                     {"ca_key_norm", "none"},
                     {"multi_ref_face", "mean"},
                     {"ca_merge", "post_out"},
                     {"can_mode", "direct"}}),
              63u);
}

TEST(AdapterMetadata, SaysWhatAFileMustSay) {
    AdapterConfig config = preset("paper");
    const auto metadata = adapter_metadata(config, {});
    EXPECT_EQ(metadata.at("format"), "magic-mirror-adapter");
    EXPECT_EQ(metadata.at("format_version"), "1");
    EXPECT_EQ(metadata.at("arch"), "cogvideox-5b");
    EXPECT_EQ(metadata.at("config"), to_json(config));
    EXPECT_EQ(metadata.at("id_embedding_norm"), "raw");
    EXPECT_EQ(metadata.at("clip_layers"), R"({"id":-1,"face":-2,"post_ln":false})");
    EXPECT_EQ(metadata.at("ref_crop"), "square_face:2.0");
    EXPECT_EQ(metadata.at("trigger_word"), "img");
    EXPECT_FALSE(metadata.contains("base_model_sha256"));
    config.dit.num_layers = 30;
    EXPECT_EQ(arch_of(config), "cogvideox-custom");
    EXPECT_EQ(arch_of(preset("demo")), "cogvideox-demo");
    EXPECT_EQ(arch_of(preset("tiny")), "cogvideox-tiny");
}

}  // namespace
}  // namespace mirror::engine::magic_mirror
