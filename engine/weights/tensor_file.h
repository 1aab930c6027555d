#pragma once

// Small safetensors files as values: stage inputs and outputs, saved latents, golden tensors. Read whole, not mapped,
// so that a file that changes later does not matter.

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

#include "engine/formats/safetensors.h"

namespace mirror::engine {

using TensorMap = std::map<std::string, at::Tensor>;

struct TensorFile {
    TensorMap tensors;
    formats::Metadata metadata;
};

// EngineError: MissingFile, MalformedFile.
TensorFile load_tensor_file(const std::filesystem::path& file);
TensorMap load_tensors(const std::filesystem::path& file);

// Through durable_replace. Tensors of any device and stride; their dtype is kept. EngineError: WriteFailed.
void save_tensors(const std::filesystem::path& file, const TensorMap& tensors, const formats::Metadata& metadata = {});

}  // namespace mirror::engine
