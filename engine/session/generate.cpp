// How a video is made, in the order in which it happens.

#include "engine/session/generate.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "engine/core/utf8.h"
#include "engine/identity/magic_mirror/trigger.h"
#include "engine/session/decode_video.h"
#include "engine/session/denoise_clip.h"
#include "engine/session/error_boundary.h"
#include "engine/session/latents_file.h"
#include "engine/session/memory_estimate.h"
#include "engine/session/model_info.h"
#include "engine/session/output_rules.h"
#include "engine/session/people.h"
#include "engine/session/prompts.h"
#include "engine/session/recognizer_choice.h"

namespace mirror::engine {

namespace {

namespace mm = magic_mirror;

ModelFolder open_folder(const std::filesystem::path& model, const std::string& device, Precision precision,
                        const RunContext& run) {
    return_large_blocks();
    fix_numerics();
    return {model, {dtype_of(precision), device_from_text(device), LayersHeld::All}, WeightCheck::Finite, run.stop()};
}

mm::AdapterFile open_adapter(const GenerationRequest& request, const ModelFolder& folder,
                             const RecognizerChoice& recognizer, RunContext& run) {
    mm::AdapterOpening opening;
    opening.id_pack = recognizer.id_pack();
    opening.base = folder.transformer_config();
    opening.finite = true;
    opening.stop = run.stop();
    opening.base_fingerprint = folder.store("transformer")->fingerprint();
    auto adapter = mm::AdapterFile::open(request.adapter, opening);
    for (const std::string& warning : adapter.warnings()) run.warn(warning);
    return adapter;
}

// Everything that can be refused without reading a weight.
GenerationRequest checked(GenerationRequest request, const ModelInfo& model) {
    value_or_throw(check_request(request));
    if (model.takes_image)
        throw EngineError(ErrorCode::InvalidRequest,
                          "--model is an image-to-video model: it cannot start from text alone");
    if (request.kind == OutputKind::Video && request.video.frames > 1 && request.video.frames % model.frames_step != 1)
        throw EngineError(ErrorCode::InvalidRequest,
                          "--frames must be " + std::to_string(model.frames_step) + "N+1 for this model");
    if (request.method != Method::None) request.adapter = value_or_throw(find_adapter(request.model, request.adapter));
    return request;
}

// In which steps the person is held; nothing if in none.
std::optional<mm::ActiveSteps> active_steps(const GenerationRequest& request, const mm::Switches& switches) {
    const IdentityStrength& identity = request.identity;
    mm::ActiveSteps active;
    active.first = std::max<std::int64_t>(identity.first_step - 1, switches.start_merge_step);
    active.last = std::min(identity.last_step.value_or(request.sampling.steps), request.sampling.steps) - 1;
    if (identity.value == 0 || active.first > active.last) return std::nullopt;
    return active;
}

// A model of drawn people is honest about photographs, in every run.
void warn_of_photographs(const std::string& draws, bool all_drawn, RunContext& run) {
    if (draws.empty() || all_drawn) return;
    run.warn("this model draws " + draws + ": of a real photograph it shows the nearest one that it can draw");
}

at::Tensor denoise_without_person(const GenerationRequest& request, RunModels& models, RunContext& run,
                                  const SharedColours& colours) {
    const std::string trigger = mm::Switches{}.trigger_word;  // No adapter says another one.
    return denoise_base(models, request, encode_prompts(models, request, trigger, std::nullopt, run), colours, run);
}

PersonSource source_of(const GenerationRequest& request, const RecognizerChoice& recognizer) {
    return {request.references, request.adapter, recognizer.id_pack()};
}

std::vector<ReferenceFace> find_references(const PersonSource& source, const mm::AdapterConfig& config,
                                           RunModels& models, FaceReader& faces, RunContext& run) {
    const int count = static_cast<int>(source.photos.size());
    run.enter(Stage::ReadReferences, count);
    auto references = models.references(source, [&] { return read_references(faces, source.photos, config, run); });
    run.advance(count);
    return references;
}

at::Tensor denoise_with_person(const GenerationRequest& request, const ModelInfo& model, RunModels& models,
                               FaceReader& faces, RunContext& run, const SharedColours& colours) {
    const ModelFolder& folder = models.folder();
    const auto recognizer = RecognizerChoice::make(folder, faces, request.adapter);
    const mm::AdapterFile adapter = open_adapter(request, folder, recognizer, run);
    const PersonSource source = source_of(request, recognizer);
    const auto look = [&] { return find_references(source, adapter.config(), models, faces, run); };
    const std::string& trigger = adapter.config().switches.trigger_word;
    const auto active = active_steps(request, adapter.config().switches);
    if (!active) {
        warn_of_photographs(model.draws, are_all_drawn(look()), run);
        return denoise_base(models, request, encode_prompts(models, request, trigger, std::nullopt, run), colours, run);
    }
    const PersonFeatures person =
        models.person(source, [&] { return read_person(folder, adapter, recognizer, look(), run); });
    warn_of_photographs(model.draws, person.all_drawn, run);
    const PromptPerson prompt_person{&adapter, person.id_embeds, request.identity.value};
    const PersonRun person_run{adapter, person, encode_prompts(models, request, trigger, prompt_person, run), *active};
    return denoise_person(models, request, person_run, colours, run);
}

// One sentence of two: what failed, which may end in a full stop of its own, and where the latents are.
std::string with_kept_latents(std::string failure, const std::filesystem::path& file) {
    if (failure.ends_with('.')) failure.pop_back();
    return failure + "; the latents are kept in '" + escape_for_message(file) + "'.";
}

// The latents cost most of the time: if they cannot be written where they should be, they go into the cache.
void keep_latents(const std::filesystem::path& file, const at::Tensor& latents, const std::string& recipe) {
    const Status saved = guarded([&] { save_latents(file, latents, recipe); });
    if (saved) return;
    const auto elsewhere = guarded_value<std::filesystem::path>([&] {
        const std::filesystem::path other = new_latents_file();
        save_latents(other, latents, recipe);
        return other;
    });
    const std::string& failure = saved.error().detail;
    throw EngineError(saved.error().code, elsewhere ? with_kept_latents(failure, elsewhere.value()) : failure);
}

// Fits the run into memory; what that changes in the result is told, and becomes part of the recipe.
void plan_run(GenerationRequest& request, RunModels& models, RunContext& run) {
    models.plan(estimate_memory(models.folder(), request, request.adapter, run.wants_preview(0)),
                request.memory_budget);
    if (models.memory().decodes_in_tiles) request.decoding = Decoding::Tiles;
    if (request.decoding == Decoding::Whole) return;
    run.warn(
        "whole frames do not fit into --budget: they are decoded in overlapping tiles, which changes them a little");
}

}  // namespace

GenerationRequest prepare_clip(const GenerationRequest& asked, FaceReader& faces, ModelShelf& shelf, RunContext& run) {
    GenerationRequest request = checked(asked, value_or_throw(read_model_info(asked.model)));
    const ModelFolder folder = open_folder(request.model, request.device, request.precision, run);
    RunModels models(folder, shelf);
    plan_run(request, models, run);
    if (request.method == Method::None) return request;
    const auto recognizer = RecognizerChoice::make(folder, faces, request.adapter);
    const mm::AdapterFile adapter = open_adapter(request, folder, recognizer, run);
    const mm::Switches& switches = adapter.config().switches;
    if (active_steps(request, switches))
        value_or_throw(mm::parse_trigger(request.prompt.positive, switches.trigger_word));
    find_references(source_of(request, recognizer), adapter.config(), models, faces, run);
    return request;
}

GenerationReport generate_clip(const GenerationRequest& asked, const RunFiles& files, FaceReader& faces,
                               VideoSink& sink, ModelShelf& shelf, RunContext& run) {
    const c10::InferenceMode inference;
    const ModelInfo model = value_or_throw(read_model_info(asked.model));
    GenerationRequest request = checked(asked, model);
    const ModelFolder folder = open_folder(request.model, request.device, request.precision, run);
    RunModels models(folder, shelf);
    plan_run(request, models, run);
    const auto latents_file = files.latents.empty() ? new_latents_file() : files.latents;

    const auto colours = preview_colours(models, run);
    const at::Tensor latents = request.method == Method::None
                                   ? denoise_without_person(request, models, run, colours)
                                   : denoise_with_person(request, model, models, faces, run, colours);
    const std::string recipe = request_to_json(request);
    keep_latents(latents_file, latents, recipe);
    const Status decoded = guarded([&] {
        decode_video(models, latents, {request.video, recipe, request.decoding}, sink, run);
    });
    if (!decoded) {
        const Error& error = decoded.error();
        const bool stopped = error.code == ErrorCode::Cancelled;
        throw EngineError(error.code, stopped ? error.detail : with_kept_latents(error.detail, latents_file));
    }
    run.finish();
    return {latents_file, run.times(), request.sampling.steps, model.random_weights};
}

GenerationReport decode_clip(const DecodeRequest& request, VideoSink& sink, ModelShelf& shelf, RunContext& run) {
    const c10::InferenceMode inference;
    const ModelInfo model = value_or_throw(read_model_info(request.model));
    const ModelFolder folder = open_folder(request.model, request.device, request.precision, run);
    const SavedLatents saved = load_latents(request.latents);
    const ClipDescription clip = describe_clip(saved, folder, model);
    RunModels models(folder, shelf);
    models.plan(estimate_decoding(folder, clip.spec, clip.decoding), 0);
    decode_video(models, saved.latents, clip, sink, run);
    run.finish();
    return {request.latents, run.times(), 0, model.random_weights};
}

}  // namespace mirror::engine
