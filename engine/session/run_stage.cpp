#include "engine/session/run_stage.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "engine/core/utf8.h"
#include "engine/session/error_boundary.h"
#include "engine/session/model_folder.h"
#include "engine/session/output_rules.h"
#include "engine/session/stages/stage.h"

namespace mirror::engine {

namespace {

struct StageEntry {
    StageDescription description;
    stages::StageFunction function;
};

// One line a stage: name, whether it reads inputs and must have an adapter, its options, those it must have.
const std::vector<StageEntry>& stage_table() {
    static const std::vector<std::string> none;
    static const std::vector<std::string> tiling{"--tiling"};
    static const std::vector<std::string> text{"--text"};
    static const std::vector<std::string> adapter{"--adapter", "--set", "--id-pack", "--allow-id-pack-mismatch"};
    static const std::vector<std::string> video{"--sampler", "--steps", "--guidance", "--dynamic-cfg", "--frames"};
    static const auto with_adapter = [](std::vector<std::string> further) {
        further.insert(further.end(), adapter.begin(), adapter.end());
        return further;
    };
    static const std::vector<StageEntry> table{
        {{"tokenize", false, false, {"--text", "--max-length"}, text}, stages::tokenize},
        {{"t5", true, false, none, none}, stages::t5},
        {{"transformer", true, false, none, none}, stages::transformer},
        {{"vae-encode", true, false, tiling, none}, stages::vae_encode},
        {{"vae-decode", true, false, tiling, none}, stages::vae_decode},
        {{"scheduler", true, false, {"--sampler", "--steps"}, none}, stages::scheduler},
        {{"t2v", true, false, video, none}, stages::text_to_video},
        {{"i2v", true, false, video, none}, stages::image_to_video},
        {{"clip-vision", true, false, adapter, none}, stages::clip_vision},
        {{"perceiver-id", true, false, adapter, none}, stages::perceiver_id},
        {{"perceiver-face", true, true, adapter, none}, stages::perceiver_face},
        {{"fuse", true, true, adapter, none}, stages::fuse},
        {{"can", true, true, adapter, none}, stages::conditioned_norm},
        {{"mm-transformer", true, true, adapter, none}, stages::mm_transformer},
        {{"mm-tokenize", false, false, with_adapter({"--text", "--references", "--max-length"}), text},
         stages::mm_tokenize},
        {{"mm-t2v", true, true, with_adapter({"--sampler", "--steps", "--guidance", "--dynamic-cfg"}), none},
         stages::mm_text_to_video},
    };
    return table;
}

std::vector<std::filesystem::path> files_read_by(const StageJob& job) {
    std::vector<std::filesystem::path> files = files_of_model(job.model);
    if (!job.inputs.empty()) files.push_back(job.inputs);
    if (!job.options.adapter.empty())
        for (const auto& file : files_of_adapter(job.options.adapter)) files.push_back(file);
    return files;
}

// Float outputs as float32, integers as they are, on the CPU.
TensorMap written_form(const TensorMap& outputs) {
    TensorMap written;
    for (const auto& [name, tensor] : outputs) {
        const auto dtype = tensor.is_floating_point() ? at::kFloat : at::kLong;
        written[name] = tensor.to(at::kCPU, dtype).contiguous();
    }
    return written;
}

std::vector<std::string> execute(const StageEntry& entry, const StageJob& job, const std::stop_token& stop) {
    const c10::InferenceMode inference;
    return_large_blocks();
    fix_numerics();
    value_or_throw(check_output(job.outputs, files_read_by(job)));
    const Placement placement{dtype_of(job.options.dtype), device_from_text(job.options.device)};
    TensorMap inputs;
    if (entry.description.reads_inputs) inputs = load_tensors(job.inputs);
    stages::StageRun run{job, job.options, placement, {std::move(inputs), job.inputs.string()}, stop, {}, {}};
    entry.function(run);
    if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
    save_tensors(job.outputs, written_form(run.outputs));
    return run.warnings;
}

}  // namespace

const std::vector<StageDescription>& stage_descriptions() {
    static const std::vector<StageDescription> descriptions = [] {
        std::vector<StageDescription> all;
        for (const StageEntry& entry : stage_table()) all.push_back(entry.description);
        return all;
    }();
    return descriptions;
}

Result<std::vector<std::string>> run_stage(const StageJob& job, std::stop_token stop) {
    return guarded_value<std::vector<std::string>>([&] {
        for (const StageEntry& entry : stage_table())
            if (entry.description.name == job.stage) return execute(entry, job, stop);
        throw EngineError(ErrorCode::InvalidRequest, "there is no stage '" + escape_for_message(job.stage) + "'");
    });
}

}  // namespace mirror::engine
