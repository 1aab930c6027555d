#include "engine/formats/onnx_outline.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/json_cursor.h"
#include "engine/formats/onnx_fields.h"
#include "engine/formats/protobuf_fields.h"

namespace mirror::formats {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kMostValues = 100'000;
constexpr std::size_t kFirstOperations = 8;

std::string text_of(Bytes bytes) {
    if (bytes.size() > limits::kTensorNameBytes) throw FormatFailure("a name in it is above 1024 bytes");
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!is_utf8(text)) throw FormatFailure("a name in it is not UTF-8");
    return text;
}

std::int64_t read_dimension(Bytes message) {
    std::int64_t size = -1;
    each_field(message, [&](const ProtobufField& field) {
        if (field.number == onnx::kDimensionValue)
            size = std::max<std::int64_t>(-1, static_cast<std::int64_t>(field.value));
    });
    return size;
}

OnnxValue read_value(Bytes message) {
    OnnxValue result;
    const auto read_shape = [&](const ProtobufField& field) {
        if (field.number != onnx::kShapeDimension) return;
        if (result.shape.size() == limits::kTensorRank) throw FormatFailure("a value in it has more than 8 dimensions");
        result.shape.push_back(read_dimension(field.bytes));
    };
    const auto read_tensor = [&](const ProtobufField& field) {
        if (field.number == onnx::kTensorTypeShape) each_field(field.bytes, read_shape);
    };
    const auto read_type = [&](const ProtobufField& field) {
        if (field.number == onnx::kTypeTensor) each_field(field.bytes, read_tensor);
    };
    each_field(message, [&](const ProtobufField& field) {
        if (field.number == onnx::kValueName) result.name = text_of(field.bytes);
        if (field.number == onnx::kValueType) each_field(field.bytes, read_type);
    });
    return result;
}

std::string text_field(Bytes message, std::uint64_t number) {
    std::string text;
    each_field(message, [&](const ProtobufField& field) {
        if (field.number == number) text = text_of(field.bytes);
    });
    return text;
}

OnnxOutline read_graph(Bytes graph) {
    OnnxOutline outline;
    std::set<std::string> initialized;
    std::size_t nodes = 0;
    each_field(graph, [&](const ProtobufField& field) {
        if (initialized.size() + outline.inputs.size() + outline.outputs.size() > kMostValues)
            throw FormatFailure("it has more than 100,000 values");
        if (field.number == onnx::kGraphNode && nodes++ < kFirstOperations)
            outline.first_operations.push_back(text_field(field.bytes, onnx::kNodeOperation));
        if (field.number == onnx::kGraphInput) outline.inputs.push_back(read_value(field.bytes));
        if (field.number == onnx::kGraphOutput) outline.outputs.push_back(read_value(field.bytes));
        if (field.number == onnx::kGraphInitializer) initialized.insert(text_field(field.bytes, onnx::kTensorName));
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
        each_field(file, [&](const ProtobufField& field) {
            if (field.number == onnx::kModelGraph && !std::exchange(graph, field.bytes).empty())
                throw FormatFailure("it has two graphs");
        });
        return read_graph(graph);
    } catch (const FormatFailure& failure) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, "an ONNX network", failure.what())};
    }
}

}  // namespace mirror::formats
