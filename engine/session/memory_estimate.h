#pragma once

// How much memory each stage of a run will need at its peak, from file headers and sizes alone. Stages run one after
// the other, so that the largest one decides.
//
// A stage needs: its weights, in the dtype that they run in; what is alive at once while it computes
// (activation_sizes.h); one tensor as the file has it, where weights are cast; and the program itself with libtorch.

#include <cstdint>
#include <filesystem>
#include <optional>

#include "engine/core/request.h"
#include "engine/session/model_folder.h"

namespace mirror::engine {

struct StageMemory {
    std::uint64_t weights = 0;        // Held during the whole stage: everything but repeated layers.
    std::uint64_t layers = 0;         // All repeated layers.
    std::uint64_t largest_layer = 0;  // Of the repeated ones.
    std::uint64_t cast = 0;           // The largest tensor as the file has it, if it is cast.
    std::uint64_t activations = 0;
    std::uint64_t beside = 0;  // What others hold meanwhile.

    std::uint64_t held(LayersHeld layers_held) const;  // Weights alone.
    std::uint64_t peak(LayersHeld layers_held) const;
};

struct MemoryEstimate {
    StageMemory previews;  // All zero without previews.
    StageMemory text_encoder;
    StageMemory features;  // The larger of the person's models, which run one after the other.
    StageMemory denoising;
    StageMemory decoding;  // As the request wants it.
    // Instead of whole frames, where the frames are larger than a tile.
    std::optional<StageMemory> tiled_decoding = std::nullopt;
    bool may_decode_in_tiles = false;  // Only where somebody has set a budget: tiles change the numbers.
    StageMemory references = {};       // Photographs are searched for faces; all zero without a person.
};

// `adapter` is not looked at without a person.
MemoryEstimate estimate_memory(const ModelFolder& folder, const GenerationRequest& request,
                               const std::filesystem::path& adapter, bool with_previews);
StageMemory estimate_decoding(const ModelFolder& folder, const VideoSpec& video, Decoding decoding);

}  // namespace mirror::engine
