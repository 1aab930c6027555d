#pragma once

// The index of a checkpoint in several files: which tensor is in which file.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::formats {

struct ShardIndex {
    std::map<std::string, std::string> file_of;  // Tensor name to plain file name.
    std::vector<std::string> files;              // Each once, sorted.
};

// Refuses anything but plain file names: no path parts, no "..", nothing hidden, no control characters.
Result<ShardIndex> parse_shard_index(std::string_view text, std::string_view origin);

std::string shard_index_json(const std::map<std::string, std::string>& file_of, std::uint64_t total_bytes);

}  // namespace mirror::formats
