#pragma once

// Writes small ONNX networks whose answers are known (onnx.proto3 of the ONNX project, opset 11).

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace mirror::testing {

// One attribute of an operation: a list of integers, an integer, a number or a word.
struct OnnxAttribute {
    std::string name;
    std::variant<std::vector<std::int64_t>, std::int64_t, float, std::string> value;
};

class OnnxWriter {
public:
    // The only input, float32, called "input". A size of -1 is left open.
    explicit OnnxWriter(const std::vector<std::int64_t>& input_shape);

    // Every operation's result has a name, which the next ones and output() take.
    std::string operation(const std::string& type, const std::vector<std::string>& inputs,
                          const std::vector<OnnxAttribute>& attributes = {});
    std::string constant(const std::vector<std::int64_t>& shape, const std::vector<float>& values);
    std::string constant(const std::vector<std::int64_t>& values);  // A list of integers.

    // A 1 x 1 convolution with this stride: weights [outputs][inputs].
    std::string convolution(const std::string& from, std::int64_t stride,
                            const std::vector<std::vector<float>>& weights, const std::vector<float>& bias);
    std::string channels_last(const std::string& from);  // [N, C, H, W] to [N, H, W, C].
    std::string reshaped(const std::string& from, const std::vector<std::int64_t>& shape);

    // {}: nothing is said of its shape. With a name the result is called so.
    void output(const std::string& from, const std::vector<std::int64_t>& shape = {}, const std::string& name = {});

    std::string bytes() const;

private:
    std::string initializer(int type, const std::vector<std::int64_t>& shape, const std::string& data);

    std::string nodes_, initializers_, inputs_, outputs_;
    int count_ = 0;
};

}  // namespace mirror::testing
