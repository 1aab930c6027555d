// The stages of the base model that run one network or one schedule.

#include "engine/backbones/cogvideox/transformer.h"
#include "engine/formats/safetensors.h"
#include "engine/samplers/sampler.h"
#include "engine/session/model_folder.h"
#include "engine/session/stages/stage.h"
#include "engine/session/stages/stage_parts.h"

namespace mirror::engine::stages {

void tokenize(StageRun& run) {
    const std::int64_t length = checked_max_length(run);
    const Tokenizer tokenizer = model_of(run).tokenizer();
    std::vector<at::Tensor> rows;
    for (const std::string& text : run.options.texts)
        rows.push_back(at::tensor(value_or_throw(tokenizer.encode(text, length)), at::kLong));
    run.output("input_ids", at::stack(rows));
}

void t5(StageRun& run) {
    const at::Tensor ids = run.integers("input_ids", {kAny, kAny});
    const T5Encoder encoder = model_of(run).text_encoder();
    if (ids.min().item<std::int64_t>() < 0 || ids.max().item<std::int64_t>() >= encoder.config.vocab_size)
        throw EngineError(ErrorCode::InvalidRequest, "input 'input_ids' holds an id that is not in the vocabulary of " +
                                                         std::to_string(encoder.config.vocab_size) + " entries");
    run.output("last_hidden_state", encoder(ids));
}

void transformer(StageRun& run) {
    const ModelFolder folder = model_of(run);
    const auto config = folder.transformer_config();
    cogvideox::TransformerInput input;
    input.hidden_states = run.floats("hidden_states", {kAny, kAny, config.in_channels, kAny, kAny});
    const std::int64_t batch = input.hidden_states.size(0);
    input.encoder_hidden_states = run.floats("encoder_hidden_states", {batch, kAny, config.text_embed_dim});
    input.timestep = run.integers("timestep", {batch});
    if (run.inputs.has("ofs") && config.ofs_embed_dim) {
        input.ofs = run.floats("ofs", {kAny});
        if (input.ofs.size(0) != 1 && input.ofs.size(0) != batch)
            refuse_input("ofs", input.ofs, "[1] or [" + std::to_string(batch) + "]");
    }
    run.output("sample", folder.transformer().forward(input));
}

void vae_encode(StageRun& run) {
    const ModelFolder folder = model_of(run);
    const VaeConfig config = folder.vae_config();
    const at::Tensor sample = run.floats("sample", {kAny, config.in_channels, kAny, kAny, kAny});
    const std::int64_t divisor = config.spatial_compression();
    if (sample.size(3) % divisor != 0 || sample.size(4) % divisor != 0)
        refuse_input("sample", sample, "a height and a width divisible by " + std::to_string(divisor));
    const Tiling tiling = run.options.tiling ? Tiling::standard(config) : Tiling::off();
    const Posterior posterior = folder.vae(VaeParts::Whole).encode(sample, tiling);
    run.output("mean", posterior.mean);
    run.output("logvar", posterior.logvar);
}

void vae_decode(StageRun& run) {
    const ModelFolder folder = model_of(run);
    const VaeConfig config = folder.vae_config();
    const at::Tensor latents = run.floats("latents", {kAny, config.latent_channels, kAny, kAny, kAny});
    const Tiling tiling = run.options.tiling ? Tiling::standard(config) : Tiling::off();
    std::vector<at::Tensor> chunks;
    folder.vae(VaeParts::DecoderOnly).decode(latents, tiling, [&](at::Tensor frames) {
        stop_if_asked(run.stop);
        chunks.push_back(std::move(frames));
    });
    run.output("sample", at::cat(chunks, 2));
}

void scheduler(StageRun& run) {
    const int steps = checked_steps(run);
    const auto sampler = make_sampler(run.options.sampler, model_of(run).schedule(), steps);
    const Placement exact{at::kFloat, run.placement.device};  // The guided prediction is float32 whatever the model is.
    const at::Tensor predictions = run.inputs.floats("model_outputs", any_rank(run, "model_outputs"), exact);
    at::Tensor sample = run.floats("sample", any_rank(run, "sample"));
    std::vector<std::int64_t> wanted{steps};
    wanted.insert(wanted.end(), sample.sizes().begin(), sample.sizes().end());
    // Either of the two may be the wrong one, so the sentence names both.
    if (predictions.sizes() != at::IntArrayRef(wanted))
        refuse_input("model_outputs", predictions,
                     formats::shape_text(wanted) + ", a prediction like 'sample' for each step");
    const NoiseSource noise = noise_from_inputs(run, steps, sample.sizes());

    std::vector<at::Tensor> previous;
    for (int step = 0; step < steps; ++step) {
        stop_if_asked(run.stop);
        sample = sampler->advance(step, predictions[step], sample, noise).latents.to(run.placement.dtype);
        previous.push_back(sample);
    }
    run.output("timesteps", at::tensor(sampler->timesteps(), at::kLong));
    run.output("prev_samples", at::stack(previous));
}

}  // namespace mirror::engine::stages
