#pragma once

// Opening an adapter for a stage, with the overrides and the recogniser's name that the command line gave.

#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/session/stages/stage.h"

namespace mirror::engine::stages {

enum class BaseModel { NotLoaded, Loaded };

// Warnings go to the run.
magic_mirror::AdapterFile open_adapter(StageRun& run, BaseModel base);

// Those of the adapter, or without one the defaults; overridden either way.
magic_mirror::Switches switches_of(const StageRun& run, const magic_mirror::AdapterFile* adapter);

}  // namespace mirror::engine::stages
