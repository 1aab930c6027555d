#include "engine/text/t5_encoder.h"
#include "engine/weights/config_reader.h"

namespace mirror::engine {

T5Config T5Config::read(const ConfigReader& file) {
    constexpr std::int64_t kMaxWidth = 1 << 20;
    T5Config config;
    config.vocab_size = file.integer_or("vocab_size", config.vocab_size, 1, 1 << 24);
    config.d_model = file.integer("d_model", 1, kMaxWidth);
    config.d_kv = file.integer("d_kv", 1, kMaxWidth);
    config.d_ff = file.integer("d_ff", 1, kMaxWidth);
    config.num_layers = file.integer("num_layers", 1, 1024);
    config.num_heads = file.integer("num_heads", 1, 4096);
    config.relative_attention_num_buckets = file.integer_or("relative_attention_num_buckets", 32, 4, 4096);
    config.relative_attention_max_distance = file.integer_or("relative_attention_max_distance", 128, 1, 1 << 20);
    config.layer_norm_epsilon = file.number_or("layer_norm_epsilon", 1e-6, 0.0, 1.0);
    if (config.relative_attention_num_buckets % 4 != 0)
        file.refuse("relative_attention_num_buckets", "is not divisible by 4");
    if (config.relative_attention_max_distance <= config.relative_attention_num_buckets / 4) {
        file.refuse("relative_attention_max_distance", "must be more than a quarter of relative_attention_num_buckets");
    }
    // Whatever dense_act_fn says, this name means the gate with gelu_new. The T5 of before v1.1 ("relu") has other
    // tensors.
    if (file.text_or("feed_forward_proj", "relu") != "gated-gelu") {
        file.refuse("feed_forward_proj", "is not gated-gelu, the only kind that T5 v1.1 has");
    }
    return config;
}

}  // namespace mirror::engine
