#include "engine/session/memory_plan.h"

#include <ATen/DeviceAccelerator.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace mirror::engine {

namespace {

constexpr double kGiB = 1073741824.0;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// Of a file that holds one number, or "max".
std::uint64_t number_in(const std::string& file) {
    std::ifstream stream(file);
    std::uint64_t value = 0;
    return stream >> value ? value : kUnlimited;
}

std::uint64_t group_memory() {
    const std::uint64_t limit = number_in("/sys/fs/cgroup/memory.max");
    const std::uint64_t used = number_in("/sys/fs/cgroup/memory.current");
    if (limit == kUnlimited || used == kUnlimited) return kUnlimited;
    // Cached files count as used though they give way; they are what can be taken back.
    std::ifstream stream("/sys/fs/cgroup/memory.stat");
    std::string key;
    std::uint64_t value = 0, cached = 0;
    while (stream >> key >> value)
        if (key == "inactive_file" || key == "active_file") cached += value;
    const std::uint64_t held = used > cached ? used - cached : 0;
    return limit > held ? limit - held : 0;
}

std::uint64_t machine_memory() {
    std::ifstream stream("/proc/meminfo");
    std::string line;
    while (std::getline(stream, line)) {
        std::istringstream words(line);
        std::string key;
        std::uint64_t kilobytes = 0;
        if (words >> key >> kilobytes && key == "MemAvailable:") return kilobytes * 1024;
    }
    return kUnlimited;
}

std::uint64_t free_memory(at::Device device) {
    if (!device.is_cpu()) return at::accelerator::getMemoryInfo(device.index()).first;
    return std::min(machine_memory(), group_memory());
}

std::string in_gib(std::uint64_t bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f GiB", static_cast<double>(bytes) / kGiB);
    return text.data();
}

void require_memory(std::uint64_t needed, std::uint64_t available, const char* also = "") {
    if (needed <= available) return;
    throw EngineError(ErrorCode::OutOfMemory,
                      "this needs about " + in_gib(needed) + " of memory and there are " + in_gib(available) +
                          ": choose a smaller --size, fewer --frames or --precision bf16" + also);
}

// As many layers as fit; one at a time if nothing does.
LayersHeld layers_that_fit(const StageMemory& stage, std::uint64_t available) {
    for (const LayersHeld layers : {LayersHeld::All, LayersHeld::Two})
        if (stage.peak(layers) <= available) return layers;
    return LayersHeld::One;
}

// A stage whose weights may stay after it.
struct Stay {
    bool* stays;
    std::uint64_t weights;
    std::uint64_t peak;
};

// In the order given, whatever leaves room for every other stage. Gives the peak of the run.
std::uint64_t choose_what_stays(const std::vector<Stay>& stages, std::uint64_t other_peak, std::uint64_t available) {
    const auto peak_of_run = [&] {
        std::uint64_t staying = 0;
        for (const Stay& stage : stages)
            if (stage.stays != nullptr && *stage.stays) staying += stage.weights;
        std::uint64_t peak = other_peak + staying;
        for (const Stay& stage : stages) {
            const bool stays = stage.stays != nullptr && *stage.stays;
            peak = std::max(peak, stage.peak + staying - (stays ? stage.weights : 0));
        }
        return peak;
    };
    for (const Stay& stage : stages) {
        if (stage.stays == nullptr) continue;
        *stage.stays = true;
        *stage.stays = peak_of_run() <= available;
    }
    return peak_of_run();
}

}  // namespace

MemoryPlan plan_memory(const MemoryEstimate& estimate, std::uint64_t available, Keeping keeping) {
    MemoryPlan plan;
    plan.text_encoder = layers_that_fit(estimate.text_encoder, available);
    plan.transformer = layers_that_fit(estimate.denoising, available);
    const std::uint64_t text = estimate.text_encoder.peak(plan.text_encoder);
    const std::uint64_t denoising = estimate.denoising.peak(plan.transformer);
    const std::uint64_t whole = estimate.decoding.peak(LayersHeld::All);
    const std::uint64_t in_tiles =
        estimate.tiled_decoding.has_value() ? estimate.tiled_decoding->peak(LayersHeld::All) : whole;
    // Also where neither fits: what is said to be missing is then the least that the run could do with.
    plan.decodes_in_tiles = estimate.may_decode_in_tiles && whole > available && in_tiles < whole;
    const StageMemory& decoder = plan.decodes_in_tiles ? *estimate.tiled_decoding : estimate.decoding;
    const std::uint64_t decoding = decoder.peak(LayersHeld::All);
    const std::uint64_t other =
        std::max({estimate.previews.peak(LayersHeld::All), estimate.features.peak(LayersHeld::All),
                  estimate.references.peak(LayersHeld::All)});
    require_memory(std::max({text, denoising, other}), available);
    require_memory(decoding, available,
                   in_tiles <= available ? ", or a --budget, under which frames may be decoded in tiles" : "");

    const bool keeps = keeping == Keeping::WhatFits;
    const auto slot = [&](bool& stays, LayersHeld layers) {
        return keeps && layers == LayersHeld::All ? &stays : nullptr;
    };
    plan.peak = choose_what_stays(
        {{slot(plan.keeps_transformer, plan.transformer), estimate.denoising.held(plan.transformer), denoising},
         {slot(plan.keeps_text_encoder, plan.text_encoder), estimate.text_encoder.held(plan.text_encoder), text},
         {slot(plan.keeps_decoder, LayersHeld::All), decoder.held(LayersHeld::All), decoding}},
        other, available);
    return plan;
}

MemoryPlan plan_stage(const StageMemory& stage, std::uint64_t available, Keeping keeping) {
    MemoryPlan plan;
    plan.peak = stage.peak(LayersHeld::All);
    plan.keeps_decoder = keeping == Keeping::WhatFits;
    require_memory(plan.peak, available);
    return plan;
}

std::uint64_t available_memory(at::Device device, std::uint64_t budget, std::uint64_t held) {
    const std::uint64_t free = free_memory(device);
    const std::uint64_t usable = free > kUnlimited - held ? kUnlimited : free + held;
    return budget == 0 ? usable : std::min(usable, budget);
}

}  // namespace mirror::engine
