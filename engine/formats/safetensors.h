#pragma once

// The header of a safetensors file: 8 bytes of little-endian length, JSON, then the data. Parses and plans; it neither
// reads nor writes tensor data. Stricter than the reference reader: duplicate keys, rank above 8, names above 1 KiB,
// more than a million tensors, white space before '{' and dtypes that nothing here computes with are refused.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::formats {

enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U8, Bool };

const char* to_text(DType dtype);  // "BF16", as in the header
std::optional<DType> dtype_from_text(std::string_view text);
std::size_t bytes_of(DType dtype);  // Of one element.

using Metadata = std::map<std::string, std::string>;

struct TensorEntry {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;  // Every dimension >= 0; empty for a scalar.
    std::uint64_t begin = 0;          // Relative to the start of the data.
    std::uint64_t end = 0;

    std::uint64_t bytes() const { return end - begin; }
};

struct SafetensorsHeader {
    std::vector<TensorEntry> tensors;  // In ascending bytewise order of the names.
    Metadata metadata;
    std::uint64_t data_begin = 0;  // From the start of the file.
    std::uint64_t data_bytes = 0;

    const TensorEntry* find(std::string_view name) const;
};

// The length that the first 8 bytes state, checked against the file's size: what to read next. `origin` names the file.
Result<std::uint64_t> safetensors_header_bytes(std::span<const std::byte> first_bytes, std::uint64_t file_bytes,
                                               std::string_view origin);

// `json` is exactly the header's JSON; the data behind it must be covered without holes and overlaps.
Result<SafetensorsHeader> parse_safetensors_json(std::string_view json, std::uint64_t data_bytes,
                                                 std::string_view origin);

// Both of the above for a whole file in memory (or mapped).
Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> file, std::string_view origin);

// What a file with these tensors begins with.
struct SafetensorsPlan {
    std::string head;                  // The length and the JSON, padded so that the data begins at a multiple of 8.
    std::vector<TensorEntry> tensors;  // In the order of their data: wide types first, then by name, without gaps.
    std::uint64_t file_bytes = 0;
};

// Offsets of the given entries are ignored and assigned. Refuses what the parser would refuse.
Result<SafetensorsPlan> plan_safetensors(std::vector<TensorEntry> tensors, const Metadata& metadata,
                                         std::string_view origin);

// The number of elements, or nothing if a dimension is negative or the product does not fit.
std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape);

// "[2, 3]"
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace mirror::formats
