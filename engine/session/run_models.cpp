#include "engine/session/run_models.h"

#include <sys/stat.h>

#include "engine/core/log.h"
#include "engine/core/result.h"
#include "engine/session/output_rules.h"

namespace mirror::engine {

namespace {

// Changes whenever a file does, without reading it.
std::string stamp_of(const std::vector<std::filesystem::path>& files) {
    std::string stamp;
    for (const auto& file : files) {
        struct stat info {};
        if (::stat(file.c_str(), &info) != 0) continue;
        stamp += file.string() + '\n';
        for (const auto number :
             {static_cast<std::int64_t>(info.st_dev), static_cast<std::int64_t>(info.st_ino),
              static_cast<std::int64_t>(info.st_size), static_cast<std::int64_t>(info.st_mtim.tv_sec),
              static_cast<std::int64_t>(info.st_mtim.tv_nsec)})
            stamp += std::to_string(number) + ' ';
    }
    return stamp;
}

std::string text_of(const Placement& placement) {
    return std::string(c10::toString(placement.dtype)) + ' ' + placement.device.str() + '\n';
}

MemoryPlan plan_of(const MemoryEstimate& estimate, std::uint64_t available, Keeping keeping) {
    return plan_memory(estimate, available, keeping);
}

MemoryPlan plan_of(const StageMemory& decoding, std::uint64_t available, Keeping keeping) {
    return plan_stage(decoding, available, keeping);
}

}  // namespace

void ModelShelf::use(const ModelFolder& folder) {
    const std::string checkpoint = text_of(folder.placement()) + stamp_of(files_of_model(folder.path()));
    if (checkpoint == checkpoint_) return;
    clear();
    checkpoint_ = checkpoint;
}

void ModelShelf::use_adapter(const std::filesystem::path& adapter) {
    const std::string file = stamp_of(files_of_adapter(adapter));
    if (file == adapter_file_) return;
    adapter_.reset();
    adapter_file_ = file;
}

void ModelShelf::clear() { *this = ModelShelf(keeping_); }

template <typename Estimate>
void RunModels::plan_on_shelf(const Estimate& estimate, std::uint64_t budget) {
    const at::Device device = folder_.placement().device;
    const auto available = [&] { return available_memory(device, budget, shelf_.held_bytes()); };
    plan_ = plan_of(estimate, available(), shelf_.keeping());
    log(LogLevel::Info, "session", "The run is predicted to need " + std::to_string(plan_.peak >> 20) + " MiB");
    // What is not to stay would lie beside the other stages.
    if (!plan_.keeps_text_encoder) shelf_.text_encoder_.reset();
    if (!plan_.keeps_transformer) shelf_.transformer_.reset();
    if (!plan_.keeps_transformer) shelf_.adapter_.reset();
    if (!plan_.keeps_decoder) shelf_.decoder_.reset();
    count_held();
}

void RunModels::plan(const MemoryEstimate& estimate, std::uint64_t budget) {
    estimate_ = estimate;
    plan_on_shelf(estimate, budget);
}

void RunModels::plan(const StageMemory& decoding, std::uint64_t budget) {
    estimate_.decoding = decoding;
    plan_on_shelf(decoding, budget);
}

void RunModels::count_held() {
    const auto copied = [](bool there, const StageMemory& stage) {
        return there && stage.cast > 0 ? stage.held(LayersHeld::All) : 0;
    };
    shelf_.held_bytes_ = copied(shelf_.text_encoder_ != nullptr, estimate_.text_encoder) +
                         copied(shelf_.transformer_ != nullptr, estimate_.denoising) +
                         copied(shelf_.decoder_ != nullptr, estimate_.decoding);
}

template <typename Model, typename Load>
std::shared_ptr<const Model> RunModels::get(std::shared_ptr<const Model>& slot, bool stays, const Load& load) {
    if (slot != nullptr) return slot;
    auto model = std::make_shared<const Model>(load());
    if (!stays) return model;
    slot = model;
    count_held();
    return model;
}

std::shared_ptr<const T5Encoder> RunModels::text_encoder() {
    return get(shelf_.text_encoder_, plan_.keeps_text_encoder,
               [&] { return folder_.text_encoder(plan_.text_encoder); });
}

std::shared_ptr<const cogvideox::Transformer> RunModels::transformer() {
    return get(shelf_.transformer_, plan_.keeps_transformer, [&] { return folder_.transformer(plan_.transformer); });
}

std::shared_ptr<const magic_mirror::CrossModalAdapter> RunModels::adapter(const magic_mirror::AdapterFile& file) {
    shelf_.use_adapter(file.file());
    return get(shelf_.adapter_, plan_.keeps_transformer,
               [&] { return magic_mirror::CrossModalAdapter(file.weights(folder_.placement()), file.config()); });
}

std::shared_ptr<const CogVideoXVae> RunModels::decoder() {
    return get(shelf_.decoder_, plan_.keeps_decoder, [&] { return folder_.vae(VaeParts::DecoderOnly); });
}

SharedColours RunModels::colours() {
    return get(shelf_.colours_, shelf_.keeping() == Keeping::WhatFits,
               [&] { return LatentColours(folder_.vae(VaeParts::Whole), folder_.placement()); });
}

template <typename Value>
Value RunModels::get(std::map<std::string, Value>& known, const PersonSource& source,
                     const std::function<Value()>& read) {
    constexpr std::size_t kMostPeople = 16;
    if (shelf_.keeping() == Keeping::Nothing) return read();
    std::string key = stamp_of(files_of_adapter(source.adapter)) + source.id_pack;
    for (const ReferencePhoto& photo : source.photos)
        key +=
            '\n' + photo.file.string() + '\n' + std::to_string(photo.face.value_or(0)) + ' ' + stamp_of({photo.file});
    if (const auto found = known.find(key); found != known.end()) return found->second;
    Value value = read();
    if (known.size() >= kMostPeople) known.clear();
    return known.emplace(key, std::move(value)).first->second;
}

std::vector<ReferenceFace> RunModels::references(const PersonSource& source,
                                                 const std::function<std::vector<ReferenceFace>()>& read) {
    return get(shelf_.references_, source, read);
}

PersonFeatures RunModels::person(const PersonSource& source, const std::function<PersonFeatures()>& read) {
    return get(shelf_.people_, source, read);
}

}  // namespace mirror::engine
