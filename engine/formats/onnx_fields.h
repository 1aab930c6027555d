#pragma once

// Field numbers of onnx.proto. Used inside engine/formats only.

#include <cstdint>

namespace mirror::formats::onnx {

inline constexpr std::uint64_t kModelGraph = 7;
inline constexpr std::uint64_t kGraphNode = 1;
inline constexpr std::uint64_t kGraphInitializer = 5;
inline constexpr std::uint64_t kGraphInput = 11;
inline constexpr std::uint64_t kGraphOutput = 12;
inline constexpr std::uint64_t kNodeOperation = 4;
inline constexpr std::uint64_t kTensorName = 8;
inline constexpr std::uint64_t kValueName = 1;
inline constexpr std::uint64_t kValueType = 2;
inline constexpr std::uint64_t kTypeTensor = 1;
inline constexpr std::uint64_t kTensorTypeElement = 1;
inline constexpr std::uint64_t kTensorTypeShape = 2;
inline constexpr std::uint64_t kShapeDimension = 1;
inline constexpr std::uint64_t kDimensionValue = 1;
inline constexpr std::uint64_t kElementFloat = 1;  // A value of kTensorTypeElement.

}  // namespace mirror::formats::onnx
