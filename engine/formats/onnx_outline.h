#pragma once

// What an ONNX file wants and gives: the names and sizes of its inputs and outputs, and how it
// begins. Nothing else of it is read.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::formats {

struct OnnxValue {
    std::string name;
    std::vector<std::int64_t> shape;  // -1 where the size is left open.
};

struct OnnxOutline {
    std::vector<OnnxValue> inputs;  // Without those that have a value in the file.
    std::vector<OnnxValue> outputs;
    std::vector<std::string> first_operations;  // The kinds of the first eight, as "Conv".
};

// `origin` names the file in the error (MalformedFile).
Result<OnnxOutline> parse_onnx_outline(std::span<const std::byte> file, std::string_view origin);

}  // namespace mirror::formats
