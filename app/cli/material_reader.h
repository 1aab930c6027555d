#pragma once

// The user's own pictures and videos for the trainer, read with engine/face and engine/media.

#include <memory>

#include "engine/training/material_reader.h"

namespace mirror::cli {

std::shared_ptr<engine::training::MaterialReader> make_material_reader();

}  // namespace mirror::cli
