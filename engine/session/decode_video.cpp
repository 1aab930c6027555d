#include "engine/session/decode_video.h"

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/core/result.h"
#include "engine/formats/safetensors.h"
#include "engine/session/latent_colours.h"

namespace mirror::engine {

namespace {

std::int64_t padding_of(const at::Tensor& latents, std::int64_t frames, const cogvideox::TransformerConfig& config) {
    const auto expected = cogvideox::latent_frames(frames, config);
    if (expected.total != latents.size(2))
        throw EngineError(ErrorCode::ShapeMismatch, "the tensor 'latents' has " + std::to_string(latents.size(2)) +
                                                        " latent frames where its recipe needs " +
                                                        std::to_string(expected.total));
    return expected.padding;
}

}  // namespace

ClipDescription describe_clip(const SavedLatents& saved, const ModelFolder& folder, const ModelInfo& model) {
    const VaeConfig vae = folder.vae_config();
    const at::Tensor& latents = saved.latents;
    if (latents.size(1) != vae.latent_channels)
        throw EngineError(ErrorCode::ShapeMismatch, "the tensor 'latents' has the shape " +
                                                        formats::shape_text(latents.sizes()) + " but this model has " +
                                                        std::to_string(vae.latent_channels) + " channels");
    ClipDescription clip{{}, saved.recipe, Decoding::Whole};
    if (!saved.recipe.empty()) {
        const GenerationRequest recipe = value_or_throw(request_from_json(saved.recipe));
        clip.spec = recipe.video;
        clip.decoding = recipe.decoding;
    } else {
        clip.spec = {0, 0, static_cast<int>(vae.decoded_frames(latents.size(2))), model.video.rate};
    }
    clip.spec.height = static_cast<int>(latents.size(3) * vae.spatial_compression());
    clip.spec.width = static_cast<int>(latents.size(4) * vae.spatial_compression());
    return clip;
}

void decode_video(RunModels& models, const at::Tensor& latents, const ClipDescription& clip, VideoSink& sink,
                  RunContext& run) {
    const ModelFolder& folder = models.folder();
    const VaeConfig config = folder.vae_config();
    const std::int64_t padding =
        clip.recipe.empty() ? 0 : padding_of(latents, clip.spec.frames, folder.transformer_config());
    // One memory layout, whether the latents come from the sampler or from a file.
    const at::Tensor placed =
        latents.to(folder.placement().device, folder.placement().dtype).contiguous().permute({0, 2, 1, 3, 4});
    const at::Tensor decodable =
        cogvideox::decoder_latents(placed, padding, {config.scaling_factor, config.invert_scale_latents});

    const Tiling tiling = clip.decoding == Decoding::Tiles ? Tiling::even(config) : Tiling::off();
    const auto parts = static_cast<int>(CogVideoXVae::decode_parts(config, decodable, tiling));
    run.enter(Stage::Decode, parts);
    sink.begin(clip.spec, clip.recipe);  // A sink that cannot take the clip says so before a weight is read.
    const auto vae = models.decoder();
    int part = 0, written = 0;
    const auto write = [&](const at::Tensor& samples) {
        check_finite(samples, "sample");
        for (std::int64_t i = 0; i < samples.size(2) && written < clip.spec.frames; ++i, ++written) {
            run.stop_if_asked();
            sink.write(frame_from_samples(samples[0].select(1, i)));
        }
    };
    vae->decode(decodable, tiling, write, [&] {
        ++part;
        run.advance(part, run.seconds_in_stage() / part * (parts - part));
        run.stop_if_asked();
    });
    run.enter(Stage::Write);
    sink.finish();
    run.advance(1, 0);
}

}  // namespace mirror::engine
