#pragma once

#include <memory>

#include "engine/core/face.h"

namespace mirror::face {

// The reader of photographs. Loading its models is left to the first find(); a missing model file is an error there.
std::unique_ptr<FaceReader> make_face_reader();

}  // namespace mirror::face
