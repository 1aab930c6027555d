#pragma once

// Reads the pickle of a PyTorch checkpoint and executes nothing: the few operations that torch.save writes are known by
// name, every other one is refused by name. What the pickle may build: numbers, texts, lists, tuples, dictionaries, and
// tensors as descriptions of where their data lies.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/formats/safetensors.h"

namespace mirror::formats {

struct PickledTensor {
    std::string dictionary;  // The keys of the dictionaries around it, joined by '/'; empty at the top.
    std::string name;        // Its own key.
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> stride;   // In elements; no two elements share a place.
    std::int64_t storage_offset = 0;    // In elements.
    std::string storage;                // The archive's entry data/STORAGE.
    std::int64_t storage_elements = 0;  // What the pickle says that the entry holds; the tensor lies within.
};

// The tensors of the dictionaries (and dictionaries within them) that the pickle describes, in its order. Numbers,
// texts and lists beside them are passed over. `origin` names the file in the error (MalformedFile).
Result<std::vector<PickledTensor>> read_pickled_tensors(std::span<const std::byte> pickle, std::string_view origin);

}  // namespace mirror::formats
