#include "engine/formats/shard_index.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/json.h"
#include "engine/formats/json_cursor.h"

namespace mirror::formats {
namespace {

constexpr std::size_t kLongestFileName = 255;
constexpr std::string_view kShardSuffix = ".safetensors";

// The name comes out of a file: it may only ever mean an entry of the index's own folder.
bool is_plain_file_name(std::string_view name) {
    if (name.size() > kLongestFileName || name.starts_with('.') || !name.ends_with(kShardSuffix)) return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
        return c == '/' || c == '\\' || c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

std::map<std::string, std::string> read_weight_map(JsonCursor& cursor) {
    std::map<std::string, std::string> file_of;
    if (cursor.peek() != '{') cursor.fail("weight_map is not an object");
    cursor.object([&](std::string&& tensor) {
        const std::string name = escape_for_message(tensor, 80);
        if (tensor.empty() || tensor.size() > limits::kTensorNameBytes)
            cursor.fail("the tensor name " + name + " is empty or too long");
        if (cursor.peek() != '"') cursor.fail("the file of tensor " + name + " is not a string");
        std::string file = cursor.string();
        if (!is_plain_file_name(file)) {
            throw JsonFailure("the file " + escape_for_message(file, 80) + " of tensor " + name +
                              " is not a plain name of a safetensors file in the same folder");
        }
        if (file_of.contains(tensor)) refuse_duplicate(tensor);
        if (file_of.size() == limits::kTensors) throw JsonFailure("it lists more than 1,000,000 tensors");
        file_of.emplace(std::move(tensor), std::move(file));
    });
    return file_of;
}

ShardIndex read_index(std::string_view text) {
    if (text.size() > limits::kShardIndexBytes) throw JsonFailure("it is larger than 64 MiB");
    if (!is_utf8(text)) throw JsonFailure("it is not UTF-8");
    JsonCursor cursor(text);
    ShardIndex index;
    std::set<std::string> keys;
    if (cursor.peek() != '{') cursor.fail("it is not an object");
    cursor.object([&](std::string&& key) {
        if (!keys.insert(key).second) refuse_duplicate(key);
        // metadata.total_size is not compared: published indexes count shared tensors in different ways.
        if (key == "weight_map") {
            index.file_of = read_weight_map(cursor);
        } else {
            cursor.skip();
        }
    });
    cursor.end();
    if (!keys.contains("weight_map")) throw JsonFailure("weight_map is missing");
    if (index.file_of.empty()) throw JsonFailure("weight_map is empty");
    std::set<std::string> files;
    for (const auto& [tensor, file] : index.file_of) files.insert(file);
    index.files.assign(files.begin(), files.end());
    return index;
}

}  // namespace

Result<ShardIndex> parse_shard_index(std::string_view text, std::string_view origin) {
    try {
        return read_index(text);
    } catch (const JsonFailure& failure) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, "a valid shard index", failure.what())};
    }
}

std::string shard_index_json(const std::map<std::string, std::string>& file_of, std::uint64_t total_bytes) {
    std::string json =
        "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total_bytes) + "\n  },\n  \"weight_map\": {";
    bool is_first = true;
    for (const auto& [tensor, file] : file_of) {
        if (!std::exchange(is_first, false)) json += ',';
        json.append("\n    ").append(json_quoted(tensor)).append(": ").append(json_quoted(file));
    }
    return json + "\n  }\n}\n";
}

}  // namespace mirror::formats
