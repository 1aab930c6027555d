#pragma once

// Denoised latents on disk: one tensor `latents` [1, C, F, H, W], float32, in the model's space, and the recipe of the
// run.

#include <ATen/ATen.h>

#include <filesystem>
#include <string>

#include "engine/core/request.h"

namespace mirror::engine {

struct SavedLatents {
    at::Tensor latents;  // [1, C, F, H, W]
    std::string recipe;  // JSON of the request; empty if the file has none.
};

// EngineError: WriteFailed.
void save_latents(const std::filesystem::path& file, const at::Tensor& latents, const std::string& recipe);
// EngineError: MissingFile, MalformedFile, MissingTensor, ShapeMismatch; a NaN or an infinity is refused.
SavedLatents load_latents(const std::filesystem::path& file);

// A name of its own in the per-user cache folder, which is made; the oldest files there are removed beyond a fixed
// number.
std::filesystem::path new_latents_file();

// EngineError naming the tensor if it holds a NaN or an infinity.
void check_finite(const at::Tensor& tensor, const std::string& name);

}  // namespace mirror::engine
