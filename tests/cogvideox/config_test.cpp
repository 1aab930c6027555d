#include "engine/backbones/cogvideox/config.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/core/result.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine::testing {
namespace {

using cogvideox::read_transformer_config;
using cogvideox::TransformerConfig;

TransformerConfig read(const std::string& json) {
    return read_transformer_config(ConfigReader::parse(json, "transformer/config.json"));
}

TEST(TransformerConfig, WhatAFileDoesNotSayIsWhatDiffusersAssumes) {
    const TransformerConfig config = read("{}");
    EXPECT_EQ(config.num_attention_heads, 30);
    EXPECT_EQ(config.inner_dim(), 1920);
    EXPECT_EQ(config.num_layers, 30);
    EXPECT_EQ(config.in_channels, 16);
    EXPECT_EQ(config.sample_height, 60);
    EXPECT_EQ(config.sample_width, 90);
    EXPECT_EQ(config.sample_frames, 49);
    EXPECT_EQ(config.max_text_seq_length, 226);
    EXPECT_EQ(config.spatial_interpolation_scale, 1.875);
    EXPECT_FALSE(config.patch_size_t.has_value());
    EXPECT_FALSE(config.ofs_embed_dim.has_value());
    EXPECT_TRUE(config.patch_bias);
    EXPECT_TRUE(config.has_additive_positions());
    EXPECT_FALSE(config.is_image_to_video());
}

TEST(TransformerConfig, ReadsThePublishedFileOfOnePointFiveFromImages) {
    const TransformerConfig config = read(R"({"_class_name": "CogVideoXTransformer3DModel",
        "activation_fn": "gelu-approximate", "attention_bias": true, "attention_head_dim": 64, "dropout": 0.0,
        "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 32, "max_text_seq_length": 226,
        "norm_elementwise_affine": true, "norm_eps": 1e-05, "num_attention_heads": 48, "num_layers": 42,
        "ofs_embed_dim": 512, "out_channels": 16, "patch_bias": false, "patch_size": 2, "patch_size_t": 2,
        "sample_frames": 81, "sample_height": 300, "sample_width": 300, "spatial_interpolation_scale": 1.875,
        "temporal_compression_ratio": 4, "temporal_interpolation_scale": 1.0, "text_embed_dim": 4096,
        "time_embed_dim": 512, "timestep_activation_fn": "silu", "use_learned_positional_embeddings": false,
        "use_rotary_positional_embeddings": true})");
    EXPECT_EQ(config.inner_dim(), 3072);
    EXPECT_EQ(config.ofs_embed_dim, 512);
    EXPECT_EQ(config.patch_size_t, 2);
    EXPECT_FALSE(config.patch_bias);
    EXPECT_FALSE(config.has_additive_positions());
    EXPECT_TRUE(config.is_image_to_video());
}

TEST(TransformerConfig, NullMeansAbsent) {
    const TransformerConfig config = read(R"({"patch_size_t": null, "ofs_embed_dim": null})");
    EXPECT_FALSE(config.patch_size_t.has_value());
    EXPECT_FALSE(config.ofs_embed_dim.has_value());
}

TEST(TransformerConfig, RefusalsNameTheFileAndTheKey) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"({"num_attention_heads": 0})", "num_attention_heads"},
        {R"({"num_attention_heads": "many"})", "num_attention_heads"},
        {R"({"num_attention_heads": 3, "attention_head_dim": 5})", "num_attention_heads"},
        {R"({"attention_head_dim": 24, "use_rotary_positional_embeddings": true})", "attention_head_dim"},
        {R"({"num_layers": 100000})", "num_layers"},
        {R"({"num_layers": 2.5})", "num_layers"},
        {R"({"patch_size": 0})", "patch_size"},
        {R"({"patch_size": 8, "sample_height": 4})", "patch_size"},
        {R"({"patch_size_t": 2})", "patch_size_t"},
        {R"({"patch_size_t": -1, "use_rotary_positional_embeddings": true})", "patch_size_t"},
        {R"({"ofs_embed_dim": 256})", "ofs_embed_dim"},
        {R"({"norm_eps": -1})", "norm_eps"},
        {R"({"spatial_interpolation_scale": 0})", "spatial_interpolation_scale"},
        {R"({"temporal_interpolation_scale": "x"})", "temporal_interpolation_scale"},
        {R"({"activation_fn": "gelu"})", "activation_fn"},
        {R"({"timestep_activation_fn": "relu"})", "timestep_activation_fn"},
        {R"({"attention_bias": 1})", "attention_bias"},
        {R"({"freq_shift": 7})", "freq_shift"},
        {R"({"in_channels": 0})", "in_channels"},
        {R"({"text_embed_dim": -4})", "text_embed_dim"},
        {R"({"sample_frames": 0})", "sample_frames"},
        {R"({"temporal_compression_ratio": 0})", "temporal_compression_ratio"},
        {R"({"max_text_seq_length": 0})", "max_text_seq_length"},
        {R"({"time_embed_dim": 0})", "time_embed_dim"},
    };
    for (const auto& [text, key] : cases) {
        try {
            read(text);
            ADD_FAILURE() << text << " was accepted";
        } catch (const EngineError& error) {
            const std::string message = error.what();
            EXPECT_NE(message.find("transformer/config.json"), std::string::npos) << message;
            EXPECT_NE(message.find(key), std::string::npos) << message;
            EXPECT_LT(message.size(), 300u);
        }
    }
}

}  // namespace
}  // namespace mirror::engine::testing
