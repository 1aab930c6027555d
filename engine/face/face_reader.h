#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "engine/core/face.h"

namespace mirror::face {

// The bytes of a photograph that lies in something else than a file of its own; its name is what messages show.
using PhotographBytes = std::function<Result<std::vector<std::uint8_t>>(const std::filesystem::path& photo)>;

// The reader of photographs. Loading its models is left to the first find(); a missing model file is an error there.
std::unique_ptr<FaceReader> make_face_reader();
// The same where photographs are no files.
std::unique_ptr<FaceReader> make_face_reader(PhotographBytes bytes);

}  // namespace mirror::face
