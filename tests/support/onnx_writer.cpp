#include "tests/support/onnx_writer.h"

#include <cstring>

namespace mirror::testing {
namespace {

constexpr int kFloat = 1;
constexpr int kInt64 = 7;

std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
    return bytes += static_cast<char>(value);
}

std::string number(int field, std::int64_t value) {
    return varint(static_cast<std::uint64_t>(field) << 3).append(varint(static_cast<std::uint64_t>(value)));
}

std::string message(int field, const std::string& body) {
    return varint(static_cast<std::uint64_t>(field) << 3 | 2).append(varint(body.size())).append(body);
}

// Field number of AttributeProto and its type.
std::string attribute(const OnnxAttribute& attribute) {
    std::string body = message(1, attribute.name);
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute.value)) {
        for (const std::int64_t value : *list) body += number(8, value);
        return message(5, body.append(number(20, 7)));  // INTS
    }
    if (const auto* integer = std::get_if<std::int64_t>(&attribute.value))
        return message(5, body.append(number(3, *integer)).append(number(20, 2)));  // INT
    if (const auto* real = std::get_if<float>(&attribute.value)) {
        std::string bytes(sizeof(float), '\0');
        std::memcpy(bytes.data(), real, sizeof(float));
        return message(5, body.append(varint(2 << 3 | 5)).append(bytes).append(number(20, 1)));  // FLOAT
    }
    return message(5, body.append(message(4, std::get<std::string>(attribute.value))).append(number(20, 3)));  // STRING
}

std::string value_info(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::string dimensions;
    for (const std::int64_t size : shape) dimensions += message(1, size < 0 ? message(2, "?") : number(1, size));
    const std::string tensor = number(1, kFloat).append(message(2, dimensions));
    return message(1, name).append(message(2, message(1, tensor)));
}

template <typename T>
std::string raw(const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

}  // namespace

OnnxWriter::OnnxWriter(const std::vector<std::int64_t>& input_shape)
    : inputs_(message(11, value_info("input", input_shape))) {}

std::string OnnxWriter::operation(const std::string& type, const std::vector<std::string>& inputs,
                                  const std::vector<OnnxAttribute>& attributes) {
    const std::string result = "n" + std::to_string(++count_);
    std::string body;
    for (const std::string& input : inputs) body += message(1, input);
    body += message(2, result).append(message(3, "node_" + result)).append(message(4, type));
    for (const OnnxAttribute& each : attributes) body += attribute(each);
    nodes_ += message(1, body);
    return result;
}

std::string OnnxWriter::constant(const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    return initializer(kFloat, shape, raw(values));
}

std::string OnnxWriter::constant(const std::vector<std::int64_t>& values) {
    return initializer(kInt64, {static_cast<std::int64_t>(values.size())}, raw(values));
}

std::string OnnxWriter::convolution(const std::string& from, std::int64_t stride,
                                    const std::vector<std::vector<float>>& weights, const std::vector<float>& bias) {
    std::vector<float> flat;
    for (const auto& row : weights) flat.insert(flat.end(), row.begin(), row.end());
    const auto outputs = static_cast<std::int64_t>(weights.size());
    const auto channels = static_cast<std::int64_t>(weights[0].size());
    using Sizes = std::vector<std::int64_t>;
    return operation("Conv", {from, constant({outputs, channels, 1, 1}, flat), constant({outputs}, bias)},
                     {{"kernel_shape", Sizes{1, 1}}, {"strides", Sizes{stride, stride}}});
}

std::string OnnxWriter::channels_last(const std::string& from) {
    return operation("Transpose", {from}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
}

std::string OnnxWriter::reshaped(const std::string& from, const std::vector<std::int64_t>& shape) {
    return operation("Reshape", {from, constant(shape)});
}

void OnnxWriter::output(const std::string& from, const std::vector<std::int64_t>& shape, const std::string& name) {
    if (!name.empty()) nodes_ += message(1, message(1, from).append(message(2, name)).append(message(4, "Identity")));
    outputs_ += message(12, value_info(name.empty() ? from : name, shape));
}

std::string OnnxWriter::bytes() const {
    const std::string graph = nodes_ + message(2, "graph") + initializers_ + inputs_ + outputs_;
    return number(1, 6).append(message(7, graph)).append(message(8, message(1, "").append(number(2, 11))));
}

std::string OnnxWriter::initializer(int type, const std::vector<std::int64_t>& shape, const std::string& data) {
    const std::string name = "w" + std::to_string(++count_);
    std::string body;
    for (const std::int64_t size : shape) body += number(1, size);
    initializers_ += message(5, body.append(number(2, type)).append(message(8, name)).append(message(9, data)));
    return name;
}

}  // namespace mirror::testing
