#include "engine/session/stages/adapter_parts.h"

#include "engine/session/stages/stage_parts.h"

namespace mirror::engine::stages {

namespace {

magic_mirror::SwitchOverrides overrides_of(const StageRun& run) {
    magic_mirror::SwitchOverrides overrides;
    for (const std::string& text : run.options.switches)
        overrides.push_back(value_or_throw(magic_mirror::parse_override(text)));
    return overrides;
}

}  // namespace

magic_mirror::AdapterFile open_adapter(StageRun& run, BaseModel base) {
    magic_mirror::AdapterOpening opening;
    opening.overrides = overrides_of(run);
    opening.id_pack = run.options.id_pack.value_or("");
    opening.allow_id_pack_mismatch = run.options.allow_id_pack_mismatch;
    if (base == BaseModel::Loaded) {
        const ModelFolder folder = model_of(run);
        opening.base = folder.transformer_config();
        opening.base_fingerprint = folder.store("transformer")->fingerprint();
    }
    auto adapter = magic_mirror::AdapterFile::open(run.options.adapter, opening);
    run.warnings.insert(run.warnings.end(), adapter.warnings().begin(), adapter.warnings().end());
    return adapter;
}

magic_mirror::Switches switches_of(const StageRun& run, const magic_mirror::AdapterFile* adapter) {
    if (adapter != nullptr) return adapter->config().switches;
    magic_mirror::Switches switches;
    value_or_throw(magic_mirror::apply_overrides(switches, overrides_of(run)));
    return switches;
}

}  // namespace mirror::engine::stages
