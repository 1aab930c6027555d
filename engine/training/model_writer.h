#pragma once

// Components of a model folder in the published layout.

#include <filesystem>
#include <string>

#include "engine/weights/tensor_file.h"

namespace mirror::engine::training {

// FOLDER/STEM.safetensors, or shards of at most 15 MiB with their index. Files of the other form are removed.
void write_weights(const std::filesystem::path& folder, const std::string& stem, const TensorMap& tensors,
                   const formats::Metadata& metadata = {{"format", "pt"}});

// A text file, with its folder. EngineError: WriteFailed.
void write_text(const std::filesystem::path& file, const std::string& text);

// Every file and folder of a model but the run's own, where the target has nothing of that name.
void copy_missing_parts(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace mirror::engine::training
