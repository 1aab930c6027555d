#pragma once

// Writes the size of the picture into an ONNX network whose file leaves it open. OpenCV's reader refuses networks that
// compute with sizes it does not know (the operation Shape), as insightface's detectors do.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::formats {

// The file with `size` as the shape of its only input; everything else is as it was. `origin` names the file in the
// error (MalformedFile), also if there is not exactly one input.
Result<std::string> with_input_size(std::span<const std::byte> file, std::span<const std::int64_t> size,
                                    std::string_view origin);

}  // namespace mirror::formats
