#pragma once

// A checkpoint as torch.save writes it: a ZIP file with a pickle that describes the tensors and one entry for each
// storage.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/formats/pickle_reader.h"

namespace mirror::formats {

struct ArchivedTensor {
    PickledTensor tensor;
    std::uint64_t begin = 0;  // Of its storage, from the start of the file; the storage lies in the file whole.
    std::uint64_t size = 0;   // Of the storage in bytes.
};

// Describes and checks, executes nothing; data is not read unless `verify` asks for the checksums of all entries.
// `origin` names the file in the error (MalformedFile). A program (TorchScript) and formats before PyTorch 1.6 are
// refused.
enum class Checksums { Skip, Verify };
Result<std::vector<ArchivedTensor>> parse_torch_archive(std::span<const std::byte> file, Checksums checksums,
                                                        std::string_view origin);

}  // namespace mirror::formats
