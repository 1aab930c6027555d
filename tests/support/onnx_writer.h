#pragma once

// Writes small ONNX networks whose answers are known (onnx.proto3 of the ONNX project, opset 11).

#include <cstdint>
#include <string>
#include <vector>

namespace mirror::testing {

class OnnxWriter {
public:
    // The only input, float32.
    explicit OnnxWriter(const std::vector<std::int64_t>& input_shape);

    // Every node's result has a name, which the next ones and output() take. The input is called "input".

    // A 1 x 1 convolution with this stride: weights [outputs][inputs].
    std::string convolution(const std::string& from, std::int64_t stride,
                            const std::vector<std::vector<float>>& weights, const std::vector<float>& bias);
    std::string channels_last(const std::string& from);  // [N, C, H, W] to [N, H, W, C].
    std::string reshaped(const std::string& from, const std::vector<std::int64_t>& shape);
    void output(const std::string& from, const std::vector<std::int64_t>& shape = {});  // {}: nothing is said of it.

    std::string bytes() const;

private:
    std::string node(const std::string& type, const std::vector<std::string>& inputs, const std::string& attributes);
    void initializer(const std::string& name, int type, const std::vector<std::int64_t>& shape,
                     const std::string& data);

    std::string nodes_, initializers_, inputs_, outputs_;
    int count_ = 0;
};

}  // namespace mirror::testing
