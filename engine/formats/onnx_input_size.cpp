#include "engine/formats/onnx_input_size.h"

#include "engine/formats/json_cursor.h"
#include "engine/formats/onnx_fields.h"
#include "engine/formats/onnx_outline.h"
#include "engine/formats/protobuf_fields.h"

namespace mirror::formats {
namespace {

using Bytes = std::span<const std::byte>;

void append(std::string& target, Bytes bytes) {
    target.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
    return bytes += static_cast<char>(value);
}

std::string number(std::uint64_t field, std::uint64_t value) { return varint(field << 3).append(varint(value)); }

std::string message(std::uint64_t field, std::string_view body) {
    return varint(field << 3 | 2).append(varint(body.size())).append(body);
}

std::string float_input(const std::string& name, std::span<const std::int64_t> size) {
    std::string dimensions;
    for (const std::int64_t side : size)
        dimensions += message(onnx::kShapeDimension, number(onnx::kDimensionValue, static_cast<std::uint64_t>(side)));
    const std::string tensor =
        number(onnx::kTensorTypeElement, onnx::kElementFloat).append(message(onnx::kTensorTypeShape, dimensions));
    return message(
        onnx::kGraphInput,
        message(onnx::kValueName, name).append(message(onnx::kValueType, message(onnx::kTypeTensor, tensor))));
}

std::string name_of(Bytes value) {
    std::string name;
    each_field(value, [&](const ProtobufField& field) {
        if (field.number == onnx::kValueName)
            name.assign(reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size());
    });
    return name;
}

std::string sized_graph(Bytes graph, const std::string& input, std::span<const std::int64_t> size) {
    std::string result;
    result.reserve(graph.size() + 64);
    each_field(graph, [&](const ProtobufField& field) {
        if (field.number == onnx::kGraphInput && name_of(field.bytes) == input) {
            result += float_input(input, size);
        } else {
            append(result, field.whole);
        }
    });
    return result;
}

}  // namespace

Result<std::string> with_input_size(Bytes file, std::span<const std::int64_t> size, std::string_view origin) {
    const auto outline = parse_onnx_outline(file, origin);
    if (!outline) return outline.error();
    if (outline.value().inputs.size() != 1)
        return Error{ErrorCode::MalformedFile,
                     refusal_sentence(origin, "an ONNX network for pictures", "it has more than one input")};
    std::string result;
    each_field(file, [&](const ProtobufField& field) {
        if (field.number == onnx::kModelGraph) {
            result += message(onnx::kModelGraph, sized_graph(field.bytes, outline.value().inputs[0].name, size));
        } else {
            append(result, field.whole);
        }
    });
    return result;
}

}  // namespace mirror::formats
