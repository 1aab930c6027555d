#pragma once

// How much memory a run will need at its peak, from file headers and sizes alone, and how much there is.
//
// The estimate: stages run one after the other, so the peak is the largest of
//   text encoder    its weights
//   features        CLIP tower, both perceivers, recogniser: their weights
//   denoising       transformer and adapter weights, and the streams of one block: rows * tokens * width * 16 values
//   decoding        VAE weights, and the widest feature maps of one chunk: frames * height * width * channels * 6
//   values
// each in bytes of the dtype that it runs in, and a fixed share for libtorch and the program itself. The factors 16 and
// 6 count the tensors that are alive at once in a block and in the last decoder level.

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>

#include "engine/core/request.h"
#include "engine/session/model_folder.h"

namespace mirror::engine {

struct MemoryEstimate {
    std::uint64_t text_encoder = 0;
    std::uint64_t features = 0;
    std::uint64_t denoising = 0;
    std::uint64_t decoding = 0;

    std::uint64_t peak() const;
};

MemoryEstimate estimate_memory(const ModelFolder& folder, const GenerationRequest& request,
                               const std::filesystem::path& adapter);
std::uint64_t estimate_decoding(const ModelFolder& folder, std::int64_t height, std::int64_t width);

// What a new allocation may use: the least of the machine's, the control group's and, if not 0, the budget.
std::uint64_t available_memory(at::Device device, std::uint64_t budget);

// EngineError (OutOfMemory) with both numbers.
void require_memory(std::uint64_t needed, at::Device device, std::uint64_t budget);

}  // namespace mirror::engine
