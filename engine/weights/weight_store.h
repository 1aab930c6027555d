#pragma once

// A checkpoint on disk as a WeightSource: one safetensors file, or shards with an index, mapped read-only and never
// copied.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/formats/safetensors.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine {

class MappedFile;

struct WeightStoreOptions {
    // Published files come with or without this prefix ("vision_model."); names are given to the model without it.
    std::string optional_prefix;
    // Names to treat as absent, after the prefix is taken off. One '*' at the beginning or the end:
    // "visual_projection.*".
    std::vector<std::string> ignored;
    // All shards must carry the same __metadata__ (adapters).
    bool same_metadata = false;
    // A NaN or an infinity in a tensor that is read is refused by name. Costs one pass over the tensor.
    // Once for every tensor, however often it is read.
    bool finite = false;
    // Reading ends as Cancelled, at the next tensor.
    std::stop_token stop;
    // A tensor is in memory when read() returns, and does not come in page by page while it is computed with.
    bool bring_in = false;
};

// Files must not be changed while the store lives. Reading from several threads is not safe. A tensor's pages leave the
// program's memory with the last tensor that aliases them: what is cast is not held twice.
class WeightStore : public WeightSource {
public:
    // A folder: looks for STEM.safetensors and STEM.safetensors.index.json with the preference of the published loaders
    // (the single file for "model", else the index). A file: that safetensors file, or the shards of that .index.json.
    static std::shared_ptr<WeightStore> open(const std::filesystem::path& folder_or_file,
                                             const std::string& stem = "model", const WeightStoreOptions& options = {});

    bool has(const std::string& name) const override;
    void check(const std::string& name, at::IntArrayRef shape) const override;
    at::Tensor read(const std::string& name, at::IntArrayRef shape) override;
    std::vector<std::int64_t> shape_of(const std::string& name) const override;

    // Without a wished shape.
    at::Tensor read_any(const std::string& name);
    const formats::TensorEntry* entry(const std::string& name) const;  // Null if absent.

    std::vector<std::string> names() const;                          // Sorted, without ignored ones.
    std::vector<std::string> unread() const;                         // Sorted: what nobody has asked for.
    std::uint64_t bytes() const;                                     // Of all tensors.
    const formats::Metadata& metadata() const { return metadata_; }  // Of the first shard.
    const std::filesystem::path& file() const { return file_; }      // The file or the index, for messages.

    // SHA-256 over names, dtypes, shapes and the two ends of every tensor's data: independent of sharding, cheap for 11
    // GB. Names as in the files, ignored ones included.
    std::string fingerprint() const;

private:
    struct Place {
        formats::TensorEntry entry;  // entry.name is the name in the file.
        std::size_t shard = 0;
        mutable bool asked = false;
        bool ignored = false;
        bool known_finite = false;
    };
    struct Shard {
        std::shared_ptr<MappedFile> file;
        std::uint64_t data_begin = 0;
    };

    WeightStore(std::filesystem::path file, WeightStoreOptions options);
    formats::SafetensorsHeader add_shard(std::shared_ptr<MappedFile> mapped);
    void open_single();
    void open_shards();
    const Place* find(const std::string& name) const;
    const Place& find_or_throw(const std::string& name) const;
    at::Tensor alias(const Place& place) const;
    void check_finite(Place& place, const std::string& name, const at::Tensor& tensor) const;

    std::filesystem::path file_;
    WeightStoreOptions options_;
    std::vector<Shard> shards_;
    std::map<std::string, Place> places_;  // By the name that models use.
    formats::Metadata metadata_;
};

at::ScalarType scalar_type(formats::DType dtype);
// EngineError if safetensors has no word for it here.
formats::DType dtype_of(at::ScalarType type);

}  // namespace mirror::engine
