#include "tests/bench/bench_cases.h"

#include <array>
#include <memory>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/backbones/cogvideox/transformer.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/samplers/denoise.h"
#include "engine/samplers/sampler.h"
#include "engine/session/bench_weights.h"
#include "engine/text/t5_encoder.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine::bench {

namespace {

struct TransformerSize {
    std::int64_t heads, layers, frames, height, width;
};

WeightScope random_weights(std::uint64_t seed, const Placement& placement) {
    return {std::make_shared<RandomWeights>(seed), placement};
}

cogvideox::TransformerConfig config_of(const TransformerSize& size) {
    cogvideox::TransformerConfig config;
    config.num_attention_heads = size.heads;
    config.num_layers = size.layers;
    config.use_rotary_positional_embeddings = true;
    return config;
}

cogvideox::TransformerInput input_of(const TransformerSize& size, const Placement& placement) {
    const auto config = config_of(size);
    cogvideox::TransformerInput input;
    input.hidden_states = random_input({1, size.frames, config.in_channels, size.height, size.width}, 2, placement);
    input.encoder_hidden_states = random_input({1, config.max_text_seq_length, config.text_embed_dim}, 3, placement);
    input.timestep = at::full({1}, 499, at::TensorOptions(at::kLong).device(placement.device));
    return input;
}

std::function<at::Tensor()> transformer_run(const TransformerSize& size, const Placement& placement) {
    const auto transformer =
        std::make_shared<const cogvideox::Transformer>(random_weights(1, placement), config_of(size));
    return [transformer, input = input_of(size, placement)] { return transformer->forward(input); };
}

// The same with Magic Mirror's adapter on half of the layers and 32 face rows.
std::function<at::Tensor()> adapted_run(const TransformerSize& size, const Placement& placement) {
    namespace mm = magic_mirror;
    const auto transformer =
        std::make_shared<const cogvideox::Transformer>(random_weights(1, placement), config_of(size));
    mm::AdapterConfig config;
    config.dit.num_layers = size.layers;
    config.dit.num_attention_heads = size.heads;
    const auto adapter = std::make_shared<const mm::CrossModalAdapter>(random_weights(5, placement), config);
    const mm::Conditioning person = mm::make_conditioning(
        *adapter, random_input({1, config.perceiver_id.tokens, config.perceiver_id.width}, 6, placement),
        random_input({1, config.perceiver_face.tokens, config.dit.width()}, 7, placement));
    return [transformer, adapter, person, input = input_of(size, placement)] {
        mm::MagicMirrorHook hook(*adapter, person, mm::Strength{});
        const std::array<BlockHook*, 1> hooks{&hook};
        return transformer->forward(input, hooks);
    };
}

std::function<at::Tensor()> t5_run(const Placement& placement) {
    T5Config config;
    config.num_layers = 1;
    config.vocab_size = 512;
    const auto encoder = std::make_shared<const T5Encoder>(random_weights(1, placement), config);
    const at::Tensor ids = at::arange(226, at::TensorOptions(at::kLong).device(placement.device)).unsqueeze(0);
    return [encoder, ids] { return (*encoder)(ids); };
}

std::function<at::Tensor()> vae_run(std::int64_t latent_frames, std::int64_t height, std::int64_t width,
                                    const Placement& placement) {
    const VaeConfig config;
    const auto vae = std::make_shared<const CogVideoXVae>(random_weights(1, placement), config, VaeParts::DecoderOnly);
    const at::Tensor latents = random_input({1, config.latent_channels, latent_frames, height, width}, 2, placement);
    return [vae, latents] { return vae->decode(latents); };
}

// Two prompts, eight guided steps and the frames of a clip of 17 x 128 x 192, at the sizes of the preset "demo".
std::function<at::Tensor()> clip_run(const Placement& placement) {
    T5Config text;
    text.d_model = 256, text.d_ff = 512, text.d_kv = 32, text.num_heads = 8, text.num_layers = 4;
    text.vocab_size = 4096;
    cogvideox::TransformerConfig config = config_of({8, 8, 5, 16, 24});
    config.attention_head_dim = 32, config.max_text_seq_length = 64;
    config.text_embed_dim = 256, config.time_embed_dim = 128;
    VaeConfig pixels;
    pixels.block_out_channels = {24, 48, 96, 128}, pixels.layers_per_block = 1, pixels.norm_num_groups = 8;
    const auto encoder = std::make_shared<const T5Encoder>(random_weights(1, placement), text);
    const auto transformer = std::make_shared<const cogvideox::Transformer>(random_weights(2, placement), config);
    const auto vae = std::make_shared<const CogVideoXVae>(random_weights(3, placement), pixels, VaeParts::DecoderOnly);
    ScheduleConfig schedule;
    schedule.prediction_type = PredictionType::Velocity, schedule.timestep_spacing = TimestepSpacing::Trailing;
    schedule.rescale_betas_zero_snr = true, schedule.snr_shift_scale = 1.0;
    const at::Tensor ids = at::arange(128, at::TensorOptions(at::kLong).device(placement.device)).view({2, 64});
    const at::Tensor noise = random_input({1, 5, config.in_channels, 16, 24}, 4, placement);
    return [encoder, transformer, vae, schedule, ids, noise] {
        const auto model = cogvideox::velocity_model(*transformer, (*encoder)(ids), {}, {5, 16, 24});
        const auto sampler = make_sampler(SamplerKind::Ddim, schedule, 8);
        const at::Tensor latents = denoise(*sampler, noise, {model, {6.0, DynamicGuidance::Off}, {}, {}, {}});
        return vae->decode(cogvideox::decoder_latents(latents, 0, {}));
    };
}

}  // namespace

const std::vector<BenchCase>& bench_cases() {
    static const std::vector<BenchCase> cases{
        {"t5-layer", "one T5-XXL layer, 226 tokens", [](const Placement& place) { return t5_run(place); }},
        {"dit-layer", "one 5B layer (d 3072, 48 heads), 226 + 1350 tokens",
         [](const Placement& place) {
             return transformer_run({48, 1, 1, 60, 90}, place);
         }},
        {"dit-small", "d 768, 12 heads, 12 layers, 226 + 3840 tokens",
         [](const Placement& place) {
             return transformer_run({12, 12, 5, 48, 64}, place);
         }},
        {"dit-small-face", "dit-small with Magic Mirror on 6 layers, 32 face rows",
         [](const Placement& place) {
             return adapted_run({12, 12, 5, 48, 64}, place);
         }},
        {"dit-medium", "d 1024, 16 heads, 16 layers, 226 + 1152 tokens",
         [](const Placement& place) {
             return transformer_run({16, 16, 3, 32, 48}, place);
         }},
        {"vae-decode", "published VAE channels, 9 frames of 64 x 96",
         [](const Placement& place) { return vae_run(3, 8, 12, place); }},
        {"clip", "17 frames of 128 x 192 from two prompts in 8 guided steps, demo sizes",
         [](const Placement& place) { return clip_run(place); }},
        {"dit-5b-step", "a whole 5B step without guidance, 42 layers, 226 + 17550 tokens",
         [](const Placement& place) {
             return transformer_run({48, 42, 13, 60, 90}, place);
         }},
    };
    return cases;
}

}  // namespace mirror::engine::bench
