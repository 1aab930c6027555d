// Reading text_encoder/config.json.

#include <gtest/gtest.h>

#include "engine/core/result.h"
#include "engine/text/t5_encoder.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {
namespace {

T5Config read(const std::string& json) { return T5Config::read(ConfigReader::parse(json, "text_encoder/config.json")); }

std::string refusal(const std::string& json) {
    try {
        read(json);
    } catch (const EngineError& error) {
        return error.what();
    }
    return "";
}

std::string small(const std::string& more) {
    return R"({"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 3)" + more + "}";
}

TEST(T5Config, ReadsThePublishedFile) {
    const T5Config config = read(R"({"architectures": ["T5EncoderModel"], "d_ff": 10240, "d_kv": 64, "d_model": 4096,
        "dense_act_fn": "gelu_new", "feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-06, "num_heads": 64, "num_layers": 24,
        "relative_attention_max_distance": 128, "relative_attention_num_buckets": 32, "vocab_size": 32128})");
    EXPECT_EQ(config.d_ff, 10240);
    EXPECT_EQ(config.num_layers, 24);
    EXPECT_EQ(config.vocab_size, 32128);
    EXPECT_EQ(config.layer_norm_epsilon, 1e-6);
}

TEST(T5Config, NamesTheKeyThatIsImpossible) {
    const std::string gated = R"(, "feed_forward_proj": "gated-gelu")";
    EXPECT_EQ(refusal(small(gated)), "");
    EXPECT_NE(refusal(small("")).find("feed_forward_proj"), std::string::npos);
    EXPECT_NE(refusal(small(R"(, "feed_forward_proj": "relu")")).find("feed_forward_proj"), std::string::npos);
    EXPECT_NE(refusal(small(gated + R"(, "vocab_size": 0)")).find("vocab_size"), std::string::npos);
    EXPECT_NE(
        refusal(small(gated + R"(, "relative_attention_num_buckets": 30)")).find("relative_attention_num_buckets"),
        std::string::npos);
    EXPECT_NE(
        refusal(small(gated + R"(, "relative_attention_max_distance": 8)")).find("relative_attention_max_distance"),
        std::string::npos);
    EXPECT_NE(refusal("{}").find("d_model"), std::string::npos);
}

}  // namespace
}  // namespace mirror::engine
