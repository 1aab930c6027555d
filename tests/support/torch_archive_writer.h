#pragma once

// Writes checkpoints as torch.save does, and such as it never would: pickles operation by operation, archives field by
// field.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mirror::testing {

// The bytes of `width` little-endian ones of `value`.
std::string little_endian(std::uint64_t value, int width);

// One tensor of a checkpoint: float32, contiguous.
struct SavedTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

// Pieces of a pickle of protocol 2.
std::string pickled_text(std::string_view text);
std::string pickled_integer(std::int64_t value);
std::string pickled_tuple(const std::vector<std::int64_t>& values);
std::string pickled_global(std::string_view module, std::string_view name);
// A tensor over the entry data/KEY.
struct PickledPlace {
    std::string key = "0";
    std::string storage = "FloatStorage";
    std::int64_t elements = 0;
    std::int64_t offset = 0;
};
std::string pickled_tensor(const PickledPlace& place, const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& stride);
// PROTO 2, the body, STOP.
std::string whole_pickle(std::string_view body);
// A dictionary of one key.
std::string pickled_entry(std::string_view key, std::string_view value);

// One entry of an archive; what differs from an honest one is set by hand.
struct ZipPart {
    std::string name;
    std::string data;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint32_t attributes = 0;
    std::string name_before_data;  // Empty: the same.
    std::int64_t moved = 0;        // Added to where the directory says that the entry begins.
    std::int64_t longer = 0;       // Added to the size in the directory.
    bool wrong_checksum = false;
};
std::string zip_file(const std::vector<ZipPart>& parts);

// NAME/data.pkl, NAME/data/0 ... for the dictionaries { DICTIONARY: { tensors } }.
struct SavedDictionary {
    std::string name;
    std::vector<SavedTensor> tensors;
};
std::string torch_file(const std::vector<SavedDictionary>& dictionaries);

}  // namespace mirror::testing
