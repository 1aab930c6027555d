#include "engine/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/json.h"
#include "engine/formats/json_cursor.h"

namespace mirror::formats {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::string_view kMetadataKey = "__metadata__";

struct DTypeRow {
    DType dtype;
    const char* name;
    std::size_t bytes;
};
constexpr std::array<DTypeRow, 10> kDTypes = {{{DType::F64, "F64", 8},
                                               {DType::F32, "F32", 4},
                                               {DType::F16, "F16", 2},
                                               {DType::BF16, "BF16", 2},
                                               {DType::I64, "I64", 8},
                                               {DType::I32, "I32", 4},
                                               {DType::I16, "I16", 2},
                                               {DType::I8, "I8", 1},
                                               {DType::U8, "U8", 1},
                                               {DType::Bool, "BOOL", 1}}};

const DTypeRow& row_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

Error malformed(std::string_view origin, const std::string& what) {
    return {ErrorCode::MalformedFile, refusal_sentence(origin, "a valid safetensors file", what)};
}

std::string tensor_text(std::string_view name) { return "tensor " + escape_for_message(name, 80); }

std::optional<std::uint64_t> byte_count(DType dtype, std::span<const std::int64_t> shape) {
    const auto elements = element_count(shape);
    if (!elements || *elements > std::numeric_limits<std::uint64_t>::max() / bytes_of(dtype)) return std::nullopt;
    return *elements * bytes_of(dtype);
}

void check_name(std::string_view name) {
    if (name.empty()) throw JsonFailure("a tensor without a name");
    if (name.size() > limits::kTensorNameBytes) throw JsonFailure(tensor_text(name) + " has a name above 1024 bytes");
    // A NUL separates names in fingerprints, and ends them for other readers.
    if (name.find('\0') != std::string_view::npos) throw JsonFailure(tensor_text(name) + " has a NUL in its name");
}

std::vector<std::int64_t> read_shape(JsonCursor& cursor) {
    std::vector<std::int64_t> shape;
    if (cursor.peek() != '[') cursor.fail("shape is not a list");
    cursor.array([&] {
        const std::uint64_t size = cursor.unsigned_integer("a dimension");
        if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            cursor.fail("a dimension out of range");
        if (shape.size() == limits::kTensorRank) cursor.fail("more than 8 dimensions");
        shape.push_back(static_cast<std::int64_t>(size));
    });
    return shape;
}

void read_offsets(JsonCursor& cursor, TensorEntry& tensor) {
    std::array<std::uint64_t, 2> offsets{};
    std::size_t count = 0;
    if (cursor.peek() != '[') cursor.fail("data_offsets is not a list");
    cursor.array([&] {
        const std::uint64_t offset = cursor.unsigned_integer("an offset");
        if (count == offsets.size()) cursor.fail("data_offsets has more than two numbers");
        offsets[count++] = offset;
    });
    if (count != offsets.size()) cursor.fail("data_offsets has fewer than two numbers");
    if (offsets[1] < offsets[0]) cursor.fail("data_offsets ends before it begins");
    tensor.begin = offsets[0];
    tensor.end = offsets[1];
}

void read_fields(JsonCursor& cursor, TensorEntry& tensor) {
    bool has_dtype = false, has_shape = false, has_offsets = false;
    std::vector<std::string> others;
    if (cursor.peek() != '{') cursor.fail("it is not an object");
    const auto once = [](bool& seen, std::string_view key) {
        if (std::exchange(seen, true)) refuse_duplicate(key);
    };
    cursor.object([&](std::string&& key) {
        if (key == "dtype") {
            once(has_dtype, key);
            const std::string text = cursor.string();
            const auto dtype = dtype_from_text(text);
            if (!dtype) throw JsonFailure("the dtype " + escape_for_message(text, 32) + " is not supported");
            tensor.dtype = *dtype;
        } else if (key == "shape") {
            once(has_shape, key);
            tensor.shape = read_shape(cursor);
        } else if (key == "data_offsets") {
            once(has_offsets, key);
            read_offsets(cursor, tensor);
        } else {
            if (std::find(others.begin(), others.end(), key) != others.end()) refuse_duplicate(key);
            others.push_back(std::move(key));
            cursor.skip();
        }
    });
    if (!has_dtype) throw JsonFailure("dtype is missing");
    if (!has_shape) throw JsonFailure("shape is missing");
    if (!has_offsets) throw JsonFailure("data_offsets is missing");
}

TensorEntry read_tensor(JsonCursor& cursor, std::string&& name) {
    check_name(name);
    TensorEntry tensor;
    tensor.name = std::move(name);
    try {
        read_fields(cursor, tensor);
    } catch (const JsonFailure& failure) {
        throw JsonFailure(tensor_text(tensor.name) + ": " + failure.what());
    }
    const auto needed = byte_count(tensor.dtype, tensor.shape);
    if (!needed) throw JsonFailure(tensor_text(tensor.name) + ": its shape " + shape_text(tensor.shape) + " overflows");
    if (*needed != tensor.bytes()) {
        throw JsonFailure(tensor_text(tensor.name) + ": " + to_text(tensor.dtype) + " " + shape_text(tensor.shape) +
                          " is " + std::to_string(*needed) + " bytes but its offsets hold " +
                          std::to_string(tensor.bytes()));
    }
    return tensor;
}

Metadata read_metadata(JsonCursor& cursor) {
    Metadata metadata;
    if (cursor.peek() != '{') cursor.fail("__metadata__ is not an object");
    cursor.object([&](std::string&& key) {
        if (cursor.peek() != '"')
            cursor.fail("__metadata__ holds a value that is not a string at " + escape_for_message(key));
        std::string value = cursor.string();
        if (metadata.contains(key)) refuse_duplicate(key);
        metadata.emplace(std::move(key), std::move(value));
    });
    return metadata;
}

void sort_and_refuse_equal(std::vector<TensorEntry>& tensors) {
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(tensors.begin(), tensors.end(),
                                          [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != tensors.end()) throw JsonFailure(tensor_text(twice->name) + " appears twice");
}

// The tensors, in the order of their data, must cover it exactly.
void check_coverage(const std::vector<TensorEntry>& tensors, std::uint64_t data_bytes) {
    std::vector<const TensorEntry*> order;
    order.reserve(tensors.size());
    for (const auto& tensor : tensors) order.push_back(&tensor);
    std::sort(order.begin(), order.end(),
              [](const auto* a, const auto* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
    std::uint64_t covered = 0;
    for (const auto* tensor : order) {
        if (tensor->end > data_bytes) {
            throw JsonFailure("it is cut off: " + tensor_text(tensor->name) + " ends at byte " +
                              std::to_string(tensor->end) + " of " + std::to_string(data_bytes));
        }
        if (tensor->begin < covered) throw JsonFailure(tensor_text(tensor->name) + " overlaps another tensor");
        if (tensor->begin > covered) throw JsonFailure("there is a hole before " + tensor_text(tensor->name));
        covered = tensor->end;
    }
    if (covered != data_bytes)
        throw JsonFailure(std::to_string(data_bytes - covered) + " bytes follow the last tensor");
}

SafetensorsHeader read_header(std::string_view json, std::uint64_t data_bytes) {
    if (!json.starts_with('{')) throw JsonFailure("its header does not begin with '{'");
    if (!is_utf8(json)) throw JsonFailure("its header is not UTF-8");
    SafetensorsHeader header;
    header.data_bytes = data_bytes;
    bool has_metadata = false;
    JsonCursor cursor(json);
    cursor.object([&](std::string&& key) {
        if (key == kMetadataKey) {
            if (std::exchange(has_metadata, true)) refuse_duplicate(key);
            header.metadata = read_metadata(cursor);
            return;
        }
        if (header.tensors.size() == limits::kTensors) throw JsonFailure("it has more than 1,000,000 tensors");
        header.tensors.push_back(read_tensor(cursor, std::move(key)));
    });
    cursor.end();
    sort_and_refuse_equal(header.tensors);
    check_coverage(header.tensors, data_bytes);
    return header;
}

void append_entry(std::string& json, const TensorEntry& tensor) {
    if (json.size() > 1) json += ',';
    json += json_quoted(tensor.name) + ":{\"dtype\":\"" + to_text(tensor.dtype) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        if (i > 0) json += ',';
        json += std::to_string(tensor.shape[i]);
    }
    json += "],\"data_offsets\":[" + std::to_string(tensor.begin) + "," + std::to_string(tensor.end) + "]}";
}

void assign_offsets(std::vector<TensorEntry>& tensors) {
    std::uint64_t at = 0;
    for (auto& tensor : tensors) {
        check_name(tensor.name);
        if (!is_utf8(tensor.name) || tensor.name == kMetadataKey)
            throw JsonFailure(tensor_text(tensor.name) + " has a forbidden name");
        if (tensor.shape.size() > limits::kTensorRank)
            throw JsonFailure(tensor_text(tensor.name) + " has more than 8 dimensions");
        const auto bytes = byte_count(tensor.dtype, tensor.shape);
        if (!bytes || *bytes > std::numeric_limits<std::uint64_t>::max() - at)
            throw JsonFailure(tensor_text(tensor.name) + " is too large");
        tensor.begin = at;
        tensor.end = at += *bytes;
    }
}

std::string length_prefix(std::uint64_t length) {
    std::string bytes;
    for (std::uint64_t i = 0; i < kLengthBytes; ++i) bytes += static_cast<char>(length >> (8 * i));
    return bytes;
}

}  // namespace

const char* to_text(DType dtype) { return row_of(dtype).name; }

std::size_t bytes_of(DType dtype) { return row_of(dtype).bytes; }

std::optional<DType> dtype_from_text(std::string_view text) {
    for (const auto& row : kDTypes) {
        if (text == row.name) return row.dtype;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape) {
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) return std::nullopt;
    // [0, 2^62, 2^62] holds nothing, but other readers multiply from the left or the right: the product must fit
    // without the zero.
    std::uint64_t product = 1;
    bool is_empty = false;
    for (const std::int64_t size : shape) {
        if (size == 0) {
            is_empty = true;
        } else if (__builtin_mul_overflow(product, static_cast<std::uint64_t>(size), &product)) {
            return std::nullopt;
        }
    }
    return is_empty ? 0 : product;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i > 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    return text + "]";
}

const TensorEntry* SafetensorsHeader::find(std::string_view name) const {
    const auto at =
        std::lower_bound(tensors.begin(), tensors.end(), name,
                         [](const TensorEntry& tensor, std::string_view wanted) { return tensor.name < wanted; });
    return at != tensors.end() && at->name == name ? &*at : nullptr;
}

Result<std::uint64_t> safetensors_header_bytes(std::span<const std::byte> first_bytes, std::uint64_t file_bytes,
                                               std::string_view origin) {
    if (file_bytes < kLengthBytes || first_bytes.size() < kLengthBytes) {
        return malformed(origin, "it has only " + std::to_string(file_bytes) + " bytes");
    }
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(first_bytes[i]) << (8 * i);
    if (length > limits::kSafetensorsHeaderBytes) {
        return malformed(origin,
                         "its header states " + std::to_string(length) + " bytes, above the limit of 100000000");
    }
    if (length < 2)
        return malformed(origin, "its header states " + std::to_string(length) + " bytes, too few for JSON");
    if (length > file_bytes - kLengthBytes) {
        return malformed(origin, "its header states " + std::to_string(length) + " bytes but the file has only " +
                                     std::to_string(file_bytes - kLengthBytes) + " after the length");
    }
    return length;
}

Result<SafetensorsHeader> parse_safetensors_json(std::string_view json, std::uint64_t data_bytes,
                                                 std::string_view origin) {
    try {
        SafetensorsHeader header = read_header(json, data_bytes);
        header.data_begin = kLengthBytes + json.size();
        return header;
    } catch (const JsonFailure& failure) {
        return malformed(origin, failure.what());
    }
}

Result<SafetensorsHeader> parse_safetensors(std::span<const std::byte> file, std::string_view origin) {
    const auto length = safetensors_header_bytes(file, file.size(), origin);
    if (!length) return length.error();
    const auto bytes = file.subspan(kLengthBytes, length.value());
    const std::string_view json(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return parse_safetensors_json(json, file.size() - kLengthBytes - length.value(), origin);
}

Result<SafetensorsPlan> plan_safetensors(std::vector<TensorEntry> tensors, const Metadata& metadata,
                                         std::string_view origin) {
    const auto refuse = [&](const std::string& what) {
        return Error{ErrorCode::WriteFailed, "Cannot write " + escape_for_message(origin) + ": " + what + "."};
    };
    SafetensorsPlan plan;
    std::string json = "{";
    if (!metadata.empty()) {
        json += json_quoted(kMetadataKey) + ":{";
        bool is_first = true;
        for (const auto& [key, value] : metadata) {
            if (!is_utf8(key) || !is_utf8(value))
                return refuse("the metadata " + escape_for_message(key) + " is not UTF-8");
            if (!std::exchange(is_first, false)) json += ',';
            json.append(json_quoted(key)).append(":").append(json_quoted(value));
        }
        json += "}";
    }
    try {
        if (tensors.size() > limits::kTensors) return refuse("more than 1,000,000 tensors");
        sort_and_refuse_equal(tensors);
        // Wide types first keep every tensor aligned to its own size.
        std::stable_sort(tensors.begin(), tensors.end(),
                         [](const auto& a, const auto& b) { return bytes_of(a.dtype) > bytes_of(b.dtype); });
        assign_offsets(tensors);
    } catch (const JsonFailure& failure) {
        return refuse(failure.what());
    }
    for (const auto& tensor : tensors) append_entry(json, tensor);
    json += "}";
    json.append((kLengthBytes - json.size() % kLengthBytes) % kLengthBytes, ' ');
    if (json.size() > limits::kSafetensorsHeaderBytes) return refuse("its header would exceed 100000000 bytes");
    plan.head = length_prefix(json.size()) + json;
    plan.file_bytes = plan.head.size() + (tensors.empty() ? 0 : tensors.back().end);
    plan.tensors = std::move(tensors);
    return plan;
}

}  // namespace mirror::formats
