#pragma once

// The directory of a ZIP file. Nothing is unpacked: an entry is a part of the file, as torch.save stores it, or known
// to be compressed. Stricter than other readers: encrypted or linked entries, entries that overlap or share a name,
// names that leave a folder, and headers that disagree are refused.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::formats {

struct ZipEntry {
    std::string name;
    std::uint64_t begin = 0;  // Of the data, from the start of the file.
    std::uint64_t size = 0;   // In the file.
    std::uint32_t crc = 0;    // Of the data, unpacked.
    bool is_compressed = false;
};

struct ZipArchive {
    std::vector<ZipEntry> entries;  // In ascending bytewise order of the names.

    const ZipEntry* find(std::string_view name) const;
};

// Whether the file begins as a ZIP file does.
bool looks_like_zip(std::span<const std::byte> file);

// `origin` names the file in the error (MalformedFile), which says that it is not `wanted`.
Result<ZipArchive> parse_zip(std::span<const std::byte> file, std::string_view origin,
                             std::string_view wanted = "an archive as torch.save makes it");

// The checksum that the directory holds of each entry.
std::uint32_t crc32_of(std::span<const std::byte> bytes);

}  // namespace mirror::formats
