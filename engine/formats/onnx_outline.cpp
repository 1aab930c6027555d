#include "engine/formats/onnx_outline.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/byte_cursor.h"
#include "engine/formats/json_cursor.h"

namespace mirror::formats {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of onnx.proto.
constexpr std::uint64_t kModelGraph = 7;
constexpr std::uint64_t kGraphNode = 1;
constexpr std::uint64_t kGraphInitializer = 5;
constexpr std::uint64_t kGraphInput = 11;
constexpr std::uint64_t kGraphOutput = 12;
constexpr std::uint64_t kTensorName = 8;
constexpr std::uint64_t kValueName = 1;
constexpr std::uint64_t kValueType = 2;
constexpr std::uint64_t kTypeTensor = 1;
constexpr std::uint64_t kTensorTypeShape = 2;
constexpr std::uint64_t kShapeDimension = 1;
constexpr std::uint64_t kDimensionValue = 1;
constexpr std::size_t kMostValues = 100'000;

std::uint64_t varint(ByteCursor& cursor) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const std::uint8_t byte = cursor.u8();
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    throw FormatFailure("a number in it is too long");
}

// Calls `field(number, bytes, value)` for each field of a message; only one of bytes and value means something.
template <typename Field>
void each_field(Bytes message, const Field& field) {
    ByteCursor cursor(message, "a message in it");
    while (cursor.left() > 0) {
        const std::uint64_t key = varint(cursor);
        switch (key & 7) {
            case 0:
                field(key >> 3, Bytes(), varint(cursor));
                break;
            case 1:
                field(key >> 3, Bytes(), cursor.u64());
                break;
            case 2:
                field(key >> 3, cursor.take(varint(cursor)), std::uint64_t{0});
                break;
            case 5:
                field(key >> 3, Bytes(), std::uint64_t{cursor.u32()});
                break;
            default:
                throw FormatFailure("a field in it has an unknown type");
        }
    }
}

std::string text_of(Bytes bytes) {
    if (bytes.size() > limits::kTensorNameBytes) throw FormatFailure("a name in it is above 1024 bytes");
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!is_utf8(text)) throw FormatFailure("a name in it is not UTF-8");
    return text;
}

std::int64_t read_dimension(Bytes message) {
    std::int64_t size = -1;
    each_field(message, [&](std::uint64_t number, Bytes, std::uint64_t value) {
        if (number == kDimensionValue) size = std::max<std::int64_t>(-1, static_cast<std::int64_t>(value));
    });
    return size;
}

OnnxValue read_value(Bytes message) {
    OnnxValue result;
    const auto read_shape = [&](std::uint64_t number, Bytes bytes, std::uint64_t) {
        if (number != kShapeDimension) return;
        if (result.shape.size() == limits::kTensorRank) throw FormatFailure("a value in it has more than 8 dimensions");
        result.shape.push_back(read_dimension(bytes));
    };
    const auto read_tensor = [&](std::uint64_t number, Bytes bytes, std::uint64_t) {
        if (number == kTensorTypeShape) each_field(bytes, read_shape);
    };
    const auto read_type = [&](std::uint64_t number, Bytes bytes, std::uint64_t) {
        if (number == kTypeTensor) each_field(bytes, read_tensor);
    };
    each_field(message, [&](std::uint64_t number, Bytes bytes, std::uint64_t) {
        if (number == kValueName) result.name = text_of(bytes);
        if (number == kValueType) each_field(bytes, read_type);
    });
    return result;
}

OnnxOutline read_graph(Bytes graph) {
    OnnxOutline outline;
    std::set<std::string> initialized;
    std::size_t nodes = 0;
    each_field(graph, [&](std::uint64_t number, Bytes bytes, std::uint64_t) {
        if (initialized.size() + outline.inputs.size() + outline.outputs.size() > kMostValues)
            throw FormatFailure("it has more than 100,000 values");
        if (number == kGraphNode) ++nodes;
        if (number == kGraphInput) outline.inputs.push_back(read_value(bytes));
        if (number == kGraphOutput) outline.outputs.push_back(read_value(bytes));
        if (number != kGraphInitializer) return;
        each_field(bytes, [&](std::uint64_t part, Bytes name, std::uint64_t) {
            if (part == kTensorName) initialized.insert(text_of(name));
        });
    });
    std::erase_if(outline.inputs, [&](const OnnxValue& value) { return initialized.contains(value.name); });
    if (nodes == 0 || outline.inputs.empty() || outline.outputs.empty())
        throw FormatFailure("it has no operations, no inputs or no outputs");
    return outline;
}

}  // namespace

Result<OnnxOutline> parse_onnx_outline(Bytes file, std::string_view origin) {
    try {
        Bytes graph;
        each_field(file, [&](std::uint64_t number, Bytes bytes, std::uint64_t) {
            if (number == kModelGraph && !std::exchange(graph, bytes).empty()) throw FormatFailure("it has two graphs");
        });
        return read_graph(graph);
    } catch (const FormatFailure& failure) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, "an ONNX network", failure.what())};
    }
}

}  // namespace mirror::formats
