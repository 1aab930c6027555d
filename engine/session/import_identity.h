#pragma once

// Takes the frozen identity parts out of PhotoMaker V2's published file, without executing anything of it.

#include <filesystem>
#include <stop_token>
#include <vector>

#include "engine/core/result.h"
#include "engine/session/verify_model.h"

namespace mirror::engine {

// The face recogniser that PhotoMaker V2's perceiver was trained with; it understands no other.
inline constexpr const char* kPhotoMakerIdPack = "buffalo_l/w600k_r50";

// Writes image_encoder/ and id_perceiver/ below `folder`, where neither may be; the dtypes stay. Every tensor of the
// file's id_encoder must be one that these parts have, or belong to the SDXL half, which is passed over. Nothing is
// left behind after a failure. Errors: MissingFile, MalformedFile, MissingTensor, ShapeMismatch, WriteFailed,
// Cancelled.
Result<std::vector<PartReport>> import_photomaker(const std::filesystem::path& file,
                                                  const std::filesystem::path& folder, std::stop_token stop);

}  // namespace mirror::engine
