#include "engine/session/denoise_clip.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "engine/backbones/cogvideox/pipeline.h"
#include "engine/identity/magic_mirror/magic_mirror_hook.h"
#include "engine/samplers/denoise.h"
#include "engine/session/latents_file.h"

namespace mirror::engine {

namespace {

namespace mm = magic_mirror;

// One stream for a run, drawn in float32 on the CPU, so that a seed means the same clip on every device.
class SeededNoise {
public:
    SeededNoise(std::uint64_t seed, at::Device device)
        : generator_(at::detail::createCPUGenerator(seed)), device_(device) {}

    at::Tensor draw(at::IntArrayRef shape, at::ScalarType dtype) {
        return at::randn(shape, generator_, at::TensorOptions().dtype(at::kFloat)).to(device_, dtype);
    }

private:
    at::Generator generator_;
    at::Device device_;
};

struct ClipShape {
    std::vector<std::int64_t> latents;  // [1, F, C, h, w]
    cogvideox::LatentGrid grid;
    std::int64_t padding = 0;
};

ClipShape clip_shape(const GenerationRequest& request, const cogvideox::TransformerConfig& config) {
    ClipShape shape;
    shape.latents = cogvideox::latent_shape(request.video.frames, request.video.height, request.video.width, config);
    shape.grid = {shape.latents[1], shape.latents[3], shape.latents[4]};
    shape.padding = cogvideox::latent_frames(request.video.frames, config).padding;
    return shape;
}

// Decoding measured in steps, from the multiplications of both: 18.6 million a pixel for a decoder of 128 channels, and
// two for every weight and token in the transformer.
double decode_in_steps(const ModelFolder& folder, const GenerationRequest& request, const ClipShape& shape) {
    constexpr double kDecoderWorkPerPixel = 18.6e6;
    constexpr double kDecoderChannels = 128;
    constexpr double kWeightsPerBlock = 16;  // Times width squared: attention, feed-forward, modulation's share.
    const auto config = folder.transformer_config();
    const double width = static_cast<double>(config.inner_dim());
    const double cells = static_cast<double>(shape.grid.frames * shape.grid.height * shape.grid.width);
    const double tokens =
        cells / static_cast<double>(config.patch_size * config.patch_size * config.patch_size_t.value_or(1)) +
        static_cast<double>(config.max_text_seq_length);
    const double rows = request.sampling.guidance > 1 ? 2 : 1;
    const double block = tokens * (2 * kWeightsPerBlock * width * width + 4 * tokens * width);
    const double step = rows * static_cast<double>(config.num_layers) * block;
    const double channels = static_cast<double>(folder.vae_config().block_out_channels.front()) / kDecoderChannels;
    const double pixels = static_cast<double>(request.video.frames) * request.video.height * request.video.width;
    return kDecoderWorkPerPixel * channels * channels * pixels / step;
}

SharedPreview preview_of(const at::Tensor& x0, const ModelFolder& folder, const GenerationRequest& request,
                         const ClipShape& shape, const LatentColours& colours, int step) {
    const VaeConfig config = folder.vae_config();
    const at::Tensor decodable =
        cogvideox::decoder_latents(x0, shape.padding, {config.scaling_factor, config.invert_scale_latents});
    auto clip = std::make_shared<PreviewClip>();
    clip->step = step;
    clip->steps = request.sampling.steps;
    clip->frames = colours(decodable);
    const FrameRate rate = request.video.rate;
    const double seconds = static_cast<double>(request.video.frames) * rate.denominator / rate.numerator;
    clip->frames_per_second = static_cast<double>(clip->frames.size()) / seconds;
    return clip;
}

at::Tensor run_sampler(const ModelFolder& folder, const GenerationRequest& request, const ClipShape& shape,
                       Predict predict, const SharedColours& colours, RunContext& run) {
    const auto sampler = make_sampler(request.sampling.sampler, folder.schedule(), request.sampling.steps);
    SeededNoise noise(request.sampling.seed, folder.placement().device);
    const double decode_steps = decode_in_steps(folder, request, shape);
    run.enter(Stage::Denoise, request.sampling.steps);

    DenoiseRun denoising;
    denoising.predict = std::move(predict);
    denoising.guidance = {request.sampling.guidance, request.sampling.dynamic_guidance};
    denoising.noise = [&](int, int, at::IntArrayRef size, at::ScalarType dtype) { return noise.draw(size, dtype); };
    denoising.stop = run.stop();
    denoising.observe = [&](const DenoiseStep& step, const at::Tensor& latents, const at::Tensor& x0) {
        check_finite(latents, "latents");
        const int done = step.step + 1;
        const double mean = run.seconds_in_stage() / done;
        run.advance(done, mean * (step.steps - done + decode_steps));
        if (colours && run.wants_preview(done)) run.show(preview_of(x0, folder, request, shape, *colours, done));
    };
    const at::Tensor initial = noise.draw(shape.latents, folder.placement().dtype);
    return denoise(*sampler, initial, denoising).to(at::kCPU, at::kFloat).permute({0, 2, 1, 3, 4}).contiguous();
}

void enter_loading(const RunModels& models, RunContext& run) {
    run.enter(Stage::LoadWeights);
    if (models.memory().transformer != LayersHeld::All)
        run.warn("the model does not fit into the memory: its blocks are read from the disk in every step");
}

}  // namespace

SharedColours preview_colours(RunModels& models, RunContext& run) {
    if (!run.wants_preview(0)) return nullptr;
    run.enter(Stage::LoadWeights);
    return models.colours();
}

at::Tensor denoise_base(RunModels& models, const GenerationRequest& request, const mm::IdentityPrompts& prompts,
                        const SharedColours& colours, RunContext& run) {
    enter_loading(models, run);
    const auto transformer = models.transformer();
    const ClipShape shape = clip_shape(request, transformer->config());
    const at::Tensor rows = prompts.negative.defined() ? at::cat({prompts.negative, prompts.plain}) : prompts.plain;
    return run_sampler(models.folder(), request, shape, cogvideox::velocity_model(*transformer, rows, {}, shape.grid),
                       colours, run);
}

at::Tensor denoise_person(RunModels& models, const GenerationRequest& request, const PersonRun& person,
                          const SharedColours& colours, RunContext& run) {
    enter_loading(models, run);
    const auto transformer = models.transformer();
    const ClipShape shape = clip_shape(request, transformer->config());
    const auto adapter = models.adapter(person.adapter);
    mm::IdentityModel model;
    model.transformer = transformer.get();
    model.adapter = adapter.get();
    model.conditioning = mm::make_conditioning(*adapter, person.person.id_embeds, person.person.face_tokens);
    model.strength = mm::Strength::all(request.identity.value);
    model.prompts = person.prompts;
    model.active = person.active;
    model.unconditional = person.adapter.config().switches.cfg_uncond_face;
    model.positions = transformer->positions(shape.grid);
    return run_sampler(models.folder(), request, shape, model, colours, run);
}

}  // namespace mirror::engine
