#include "engine/training/model_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <vector>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/temporary_folder.h"
#include "engine/core/utf8.h"
#include "engine/formats/shard_index.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShardBytes = 14U << 20;  // Below 15 MiB with the header.
constexpr std::size_t kPieceBytes = 1U << 20;   // Of a file that is copied.

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

EngineError unreadable(const fs::path& folder, const std::error_code& error) {
    return {ErrorCode::MissingFile,
            "Cannot read the folder " + path_for_message(folder) + ": " + error.message() + "."};
}

// A folder that is empty is one that nobody has filled.
bool is_there(const fs::path& part) {
    std::error_code ignored;
    return fs::exists(part, ignored) && !(fs::is_directory(part, ignored) && fs::is_empty(part, ignored));
}

void copy_whole(const fs::path& from, const fs::path& to) {
    std::ifstream source(from, std::ios::binary);
    TemporaryFile made = value_or_throw(TemporaryFile::create_beside(to));
    std::vector<char> piece(kPieceBytes);
    while (source) {
        source.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        value_or_throw(made.write(std::string_view(piece.data(), static_cast<std::size_t>(source.gcount()))));
    }
    if (!source.eof()) throw EngineError(ErrorCode::MissingFile, "Cannot read " + path_for_message(from) + ".");
    value_or_throw(made.publish());
}

void copy_folder(const fs::path& from, const fs::path& to) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(from, error)) {
        const fs::path target = to / entry.path().filename();
        if (entry.is_directory()) {
            value_or_throw(make_folders(target));
            copy_folder(entry.path(), target);
        } else if (entry.is_regular_file()) {
            copy_whole(entry.path(), target);
        }
    }
    if (error) throw unreadable(from, error);
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
        // Hidden entries are what a killed program has left.
        if (name == "training" || name.string().starts_with(".") || is_there(to / name)) continue;
        if (!entry.is_directory()) {
            copy_whole(entry.path(), to / name);
            continue;
        }
        TemporaryFolder made = value_or_throw(TemporaryFolder::create_for(to / name));
        copy_folder(entry.path(), made.path());
        value_or_throw(made.publish(""));
    }
    if (error) throw unreadable(from, error);
}

}  // namespace mirror::engine::training
