#pragma once

// How a run fits into the memory there is: which models hold all their layers and which read them from the disk as they
// go, and what may stay for the next run.

#include <ATen/ATen.h>

#include <cstdint>

#include "engine/session/memory_estimate.h"

namespace mirror::engine {

struct MemoryPlan {
    LayersHeld text_encoder = LayersHeld::All;
    LayersHeld transformer = LayersHeld::All;
    bool decodes_in_tiles = false;  // Instead of whole frames, which do not fit.
    // What stays after its stage. Never a model that does not hold all its layers.
    bool keeps_text_encoder = false;
    bool keeps_transformer = false;  // With the adapter.
    bool keeps_decoder = false;
    std::uint64_t peak = 0;  // Predicted.
};

enum class Keeping { Nothing, WhatFits };

// EngineError (OutOfMemory) with both numbers where even one layer at a time does not fit.
MemoryPlan plan_memory(const MemoryEstimate& estimate, std::uint64_t available, Keeping keeping);
MemoryPlan plan_stage(const StageMemory& stage, std::uint64_t available, Keeping keeping);

// What a run may use: the least of the machine's, the control group's and, if not 0, the budget. `held` is what earlier
// runs hold already and this one may use again.
std::uint64_t available_memory(at::Device device, std::uint64_t budget, std::uint64_t held);

}  // namespace mirror::engine
