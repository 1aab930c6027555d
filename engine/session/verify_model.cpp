#include "engine/session/verify_model.h"

#include <array>
#include <functional>

#include "engine/core/utf8.h"
#include "engine/formats/safetensors.h"
#include "engine/identity/magic_mirror/adapter.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/session/error_boundary.h"
#include "engine/session/latents_file.h"
#include "engine/session/model_folder.h"
#include "engine/session/model_info.h"
#include "engine/session/recognizer_choice.h"

namespace mirror::engine {

namespace {

// Shapes and names are checked on tensors without data; values are read afterwards, once.
const Placement kShapesOnly{at::kFloat, at::kMeta};

struct Part {
    const char* name;
    void (*construct)(const ModelFolder& folder, const WeightScope& weights);
};

// One line a part: how its model is made.
constexpr std::array kParts{
    Part{"text_encoder", [](const ModelFolder& folder,
                            const WeightScope& weights) { T5Encoder(weights, folder.text_encoder_config()); }},
    Part{"transformer",
         [](const ModelFolder& folder, const WeightScope& weights) {
             cogvideox::Transformer(weights, folder.transformer_config());
         }},
    Part{"vae",
         [](const ModelFolder& folder, const WeightScope& weights) { CogVideoXVae(weights, folder.vae_config()); }},
    Part{"image_encoder",
         [](const ModelFolder& folder, const WeightScope& weights) {
             magic_mirror::ClipVision(weights, folder.clip_vision_shape());
         }},
    Part{"id_perceiver",
         [](const ModelFolder& folder, const WeightScope& weights) {
             magic_mirror::PerceiverId(weights, folder.perceiver_id_config());
         }},
    Part{"recognizer", [](const ModelFolder& folder,
                          const WeightScope& weights) { RecognizerNetwork(weights, folder.recognizer_config()); }},
};

PartReport report_of(const std::string& name, const WeightStore& store) {
    PartReport report{name, 0, 0, store.bytes(), {}};
    for (const std::string& tensor : store.names()) {
        ++report.tensors;
        report.parameters += formats::element_count(store.entry(tensor)->shape).value_or(0);
    }
    return report;
}

void check_values(WeightStore& store, const std::stop_token& stop) {
    for (const std::string& name : store.names()) {
        if (stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
        const at::Tensor tensor = store.read_any(name);
        if (tensor.is_floating_point() && !at::isfinite(tensor).all().item<bool>())
            throw EngineError(ErrorCode::MalformedFile, "the tensor '" + escape_for_message(name) + "' in '" +
                                                            escape_for_message(store.file()) +
                                                            "' holds NaN or infinity");
    }
}

PartReport verify_part(const ModelFolder& folder, const Part& part, const std::stop_token& stop) {
    const auto store = folder.store(part.name);
    part.construct(folder, WeightScope(store, kShapesOnly));
    PartReport report = report_of(part.name, *store);
    report.unread = store->unread();
    check_values(*store, stop);
    return report;
}

PartReport verify_adapter(const std::filesystem::path& file, const ModelFolder& folder, FaceReader& faces,
                          const std::stop_token& stop) {
    magic_mirror::AdapterOpening opening;
    opening.base = folder.transformer_config();
    // A folder without one says nothing of who will recognise faces.
    if (folder.has("recognizer")) opening.id_pack = RecognizerChoice::make(folder, faces, file).id_pack();
    magic_mirror::AdapterFile::open(file, opening);
    const auto store = WeightStore::open(file);
    check_values(*store, stop);
    return report_of("adapter", *store);
}

std::vector<PartReport> verify_folder(const std::filesystem::path& path, FaceReader& faces,
                                      const std::stop_token& stop) {
    const ModelFolder folder(path, kShapesOnly, WeightCheck::None);
    value_or_throw(read_model_info(path));
    folder.tokenizer();
    folder.schedule();
    std::vector<PartReport> reports;
    for (const Part& part : kParts)
        if (folder.has(part.name)) reports.push_back(verify_part(folder, part, stop));
    if (folder.has("adapter"))
        reports.push_back(verify_adapter(value_or_throw(find_adapter(path, {})), folder, faces, stop));
    return reports;
}

std::vector<PartReport> verify_file(const std::filesystem::path& file, const std::stop_token& stop) {
    const auto store = WeightStore::open(file);
    check_values(*store, stop);
    return {report_of(file.filename().string(), *store)};
}

}  // namespace

Result<std::vector<PartReport>> describe_model(const std::filesystem::path& path) {
    return guarded_value<std::vector<PartReport>>([&] {
        value_or_throw(read_model_info(path));
        const ModelFolder folder(path, kShapesOnly, WeightCheck::None);
        std::vector<PartReport> reports;
        for (const Part& part : kParts)
            if (folder.has(part.name)) reports.push_back(report_of(part.name, *folder.store(part.name)));
        if (folder.has("adapter"))
            reports.push_back(report_of("adapter", *WeightStore::open(value_or_throw(find_adapter(path, {})))));
        return reports;
    });
}

Result<std::vector<PartReport>> verify_model(const std::filesystem::path& path, FaceReader& faces,
                                             std::stop_token stop) {
    return guarded_value<std::vector<PartReport>>([&] {
        return std::filesystem::is_directory(path) ? verify_folder(path, faces, stop) : verify_file(path, stop);
    });
}

}  // namespace mirror::engine
