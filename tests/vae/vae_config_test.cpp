// Reading vae/config.json.

#include <gtest/gtest.h>

#include "engine/core/result.h"
#include "engine/vae/vae_network.h"
#include "engine/weights/config_reader.h"
#include "tests/vae/vae_fixtures.h"

namespace mirror::engine::testing {
namespace {

VaeConfig read(const std::string& json) { return VaeConfig::read(ConfigReader::parse(json, "vae/config.json")); }

std::string refusal(const std::string& json) {
    try {
        read(json);
    } catch (const EngineError& error) {
        return error.what();
    }
    return "";
}

TEST(VaeConfig, ReadsThePublishedFile) {
    const VaeConfig config =
        read(R"({"_class_name": "AutoencoderKLCogVideoX", "act_fn": "silu", "block_out_channels": [128, 256, 256, 512],
        "force_upcast": true, "in_channels": 3, "invert_scale_latents": true, "latent_channels": 16, "latents_mean": null, "layers_per_block": 3,
        "norm_eps": 1e-06, "norm_num_groups": 32, "out_channels": 3, "sample_height": 480, "sample_width": 720, "scaling_factor": 0.7,
        "shift_factor": null, "temporal_compression_ratio": 4, "use_post_quant_conv": false, "use_quant_conv": false})");
    EXPECT_EQ(config.scaling_factor, 0.7);
    EXPECT_TRUE(config.invert_scale_latents);
    EXPECT_EQ(config.block_out_channels, (std::vector<std::int64_t>{128, 256, 256, 512}));
    EXPECT_EQ(config.spatial_compression(), 8);
    EXPECT_EQ(config.temporal_levels(), 2);
}

TEST(VaeConfig, LeavesOutWhatTheFileLeavesOut) {
    const VaeConfig config = read("{}");
    EXPECT_EQ(config.scaling_factor, 1.15258426);
    EXPECT_FALSE(config.invert_scale_latents);
    EXPECT_EQ(config.layers_per_block, 3);
}

TEST(VaeConfig, NamesTheKeyThatIsImpossible) {
    EXPECT_NE(refusal(R"({"block_out_channels": [128, 250, 256, 512]})").find("block_out_channels"), std::string::npos);
    EXPECT_NE(refusal(R"({"block_out_channels": [128]})").find("block_out_channels"), std::string::npos);
    EXPECT_NE(refusal(R"({"norm_num_groups": 0})").find("norm_num_groups"), std::string::npos);
    EXPECT_NE(refusal(R"({"temporal_compression_ratio": 3})").find("temporal_compression_ratio"), std::string::npos);
    EXPECT_NE(refusal(R"({"temporal_compression_ratio": 64})").find("temporal_compression_ratio"), std::string::npos);
    EXPECT_NE(refusal(R"({"use_quant_conv": true})").find("use_quant_conv"), std::string::npos);
    EXPECT_NE(refusal(R"({"act_fn": "relu"})").find("act_fn"), std::string::npos);
    EXPECT_NE(refusal(R"({"scaling_factor": 0})").find("scaling_factor"), std::string::npos);
}

// norm_eps belongs to the encoder's blocks; everything else has 1e-6 in the code. The golden values cannot tell 1e-6
// from 1e-5.
TEST(VaeConfig, EpsilonOfTheNorms) {
    VaeConfig config = even_config();
    config.norm_eps = 1e-3;
    const VaeEncoder encoder(deterministic_weights() / "encoder", config);
    const VaeDecoder decoder(deterministic_weights() / "decoder", config);
    EXPECT_EQ(encoder.down_blocks[0].resnets[0].norm1.epsilon, 1e-3);
    EXPECT_EQ(encoder.norm_out.epsilon, 1e-6);
    EXPECT_EQ(decoder.norm_out.norm.epsilon, 1e-6);
    EXPECT_EQ(decoder.mid_resnets[0].norm2.norm.epsilon, 1e-6);
    // At a variance of 1e-6 an epsilon of 1e-6 takes away 1 - sqrt(1/2).
    const at::Tensor x = at::tensor({1e-3f, -1e-3f}).view({1, 1, 2, 1, 1}).expand({1, 8, 2, 1, 1});
    EXPECT_NEAR(at::abs((encoder.norm_out(x)[0][0][0][0][0] - encoder.norm_out.bias[0]) / encoder.norm_out.weight[0])
                    .item<double>(),
                std::sqrt(0.5), 1e-4);
}

}  // namespace
}  // namespace mirror::engine::testing
