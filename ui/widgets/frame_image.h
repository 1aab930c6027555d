#pragma once

// The engine's frames as Qt pictures, without copying.

#include <QImage>
#include <memory>

#include "engine/core/frame.h"

namespace mirror::ui {

// `frame` lies inside something that `owner` keeps alive. The picture is read-only.
QImage imageOf(const Frame& frame, std::shared_ptr<const void> owner);

}  // namespace mirror::ui
