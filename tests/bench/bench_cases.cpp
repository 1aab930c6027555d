#include "tests/bench/bench_cases.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <memory>

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/text/t5_encoder.h"
#include "engine/vae/cogvideox_vae.h"

namespace mirror::engine::bench {

namespace {

at::Tensor normal(at::IntArrayRef shape, std::uint64_t seed, const Placement& placement) {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::kFloat).to(placement.device, placement.dtype);
}

struct TransformerSize {
    std::int64_t heads, layers, frames, height, width;
};

std::function<at::Tensor()> transformer_run(const TransformerSize& size, const Placement& placement) {
    cogvideox::TransformerConfig config;
    config.num_attention_heads = size.heads;
    config.num_layers = size.layers;
    config.use_rotary_positional_embeddings = true;
    const WeightScope weights(std::make_shared<RandomSource>(1), placement);
    const auto transformer = std::make_shared<const cogvideox::Transformer>(weights, config);
    cogvideox::TransformerInput input;
    input.hidden_states = normal({1, size.frames, config.in_channels, size.height, size.width}, 2, placement);
    input.encoder_hidden_states = normal({1, config.max_text_seq_length, config.text_embed_dim}, 3, placement);
    input.timestep = at::full({1}, 499, at::TensorOptions(at::kLong).device(placement.device));
    return [transformer, input] { return transformer->forward(input); };
}

std::function<at::Tensor()> t5_run(const Placement& placement) {
    T5Config config;
    config.num_layers = 1;
    config.vocab_size = 512;
    const auto encoder =
        std::make_shared<const T5Encoder>(WeightScope(std::make_shared<RandomSource>(1), placement), config);
    const at::Tensor ids = at::arange(226, at::TensorOptions(at::kLong).device(placement.device)).unsqueeze(0);
    return [encoder, ids] { return (*encoder)(ids); };
}

std::function<at::Tensor()> vae_run(std::int64_t latent_frames, std::int64_t height, std::int64_t width,
                                    const Placement& placement) {
    const VaeConfig config;
    const auto vae = std::make_shared<const CogVideoXVae>(WeightScope(std::make_shared<RandomSource>(1), placement),
                                                          config, VaeParts::DecoderOnly);
    const at::Tensor latents = normal({1, config.latent_channels, latent_frames, height, width}, 2, placement);
    return [vae, latents] { return vae->decode(latents); };
}

}  // namespace

RandomSource::RandomSource(std::uint64_t seed) : random_(at::detail::createCPUGenerator(seed)) {}

bool RandomSource::has(const std::string&) const { return true; }

at::Tensor RandomSource::read(const std::string& name, at::IntArrayRef shape) {
    if (shape.size() < 2) return name.ends_with("weight") ? at::ones(shape) : at::zeros(shape);
    const double fan_in = static_cast<double>(c10::multiply_integers(shape)) / static_cast<double>(shape[0]);
    return at::randn(shape, random_, at::kFloat) / std::sqrt(fan_in);
}

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
        {"vae-decode", "published VAE channels, 9 frames of 64 x 96",
         [](const Placement& place) { return vae_run(3, 8, 12, place); }},
        {"dit-5b-step", "a whole 5B step without guidance, 42 layers, 226 + 17550 tokens",
         [](const Placement& place) {
             return transformer_run({48, 42, 13, 60, 90}, place);
         }},
    };
    return cases;
}

}  // namespace mirror::engine::bench
