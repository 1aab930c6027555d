#include "engine/training/model_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <system_error>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/formats/shard_index.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShardBytes = 14U << 20;  // Below 15 MiB with the header.

std::vector<TensorMap> shards_of(const TensorMap& tensors) {
    std::vector<TensorMap> shards(1);
    std::size_t used = 0;
    for (const auto& [name, tensor] : tensors) {
        if (used > 0 && used + tensor.nbytes() > kShardBytes) {
            shards.emplace_back();
            used = 0;
        }
        shards.back()[name] = tensor;
        used += tensor.nbytes();
    }
    return shards;
}

std::string shard_name(const std::string& stem, std::size_t index, std::size_t count) {
    std::array<char, 40> numbers{};
    std::snprintf(numbers.data(), numbers.size(), "-%05zu-of-%05zu", index + 1, count);
    return stem + numbers.data() + ".safetensors";
}

// Files of this stem that the new set does not have: a reader would take the wrong ones.
void remove_stale(const fs::path& folder, const std::string& stem, const std::vector<std::string>& kept) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        const bool ours = name.starts_with(stem) && name.find(".safetensors") != std::string::npos;
        if (ours && std::find(kept.begin(), kept.end(), name) == kept.end()) fs::remove(entry.path(), ignored);
    }
}

}  // namespace

void write_weights(const fs::path& folder, const std::string& stem, const TensorMap& tensors,
                   const formats::Metadata& metadata) {
    value_or_throw(make_folders(folder));
    const auto shards = shards_of(tensors);
    if (shards.size() == 1) {
        save_tensors(folder / (stem + ".safetensors"), tensors, metadata);
        remove_stale(folder, stem, {stem + ".safetensors"});
        return;
    }
    std::vector<std::string> kept = {stem + ".safetensors.index.json"};
    std::size_t bytes = 0;
    std::map<std::string, std::string> file_of;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        kept.push_back(shard_name(stem, i, shards.size()));
        save_tensors(folder / kept.back(), shards[i], metadata);
        for (const auto& [name, tensor] : shards[i]) {
            bytes += tensor.nbytes();
            file_of.emplace(name, kept.back());
        }
    }
    write_text(folder / kept.front(), formats::shard_index_json(file_of, bytes));
    remove_stale(folder, stem, kept);
}

void write_text(const fs::path& file, const std::string& text) {
    value_or_throw(make_folders(file.parent_path()));
    value_or_throw(durable_replace(file, text));
}

void copy_missing_parts(const fs::path& from, const fs::path& to) {
    value_or_throw(make_folders(to));
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(from, error)) {
        const fs::path name = entry.path().filename();
        if (name == "training" || fs::exists(to / name)) continue;
        std::error_code failed;
        fs::copy(entry.path(), to / name, fs::copy_options::recursive, failed);
        if (failed)
            throw EngineError(ErrorCode::WriteFailed, "Cannot copy " + path_for_message(entry.path()) + " to " +
                                                          path_for_message(to) + ": " + failed.message() + ".");
    }
    if (error)
        throw EngineError(ErrorCode::MissingFile,
                          "Cannot read the folder " + path_for_message(from) + ": " + error.message() + ".");
}

}  // namespace mirror::engine::training
