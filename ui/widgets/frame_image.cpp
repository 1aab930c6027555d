#include "ui/widgets/frame_image.h"

namespace mirror::ui {

QImage imageOf(const Frame& frame, std::shared_ptr<const void> owner) {
    if (frame.width <= 0 || frame.height <= 0) return {};
    auto* kept = new std::shared_ptr<const void>(std::move(owner));
    const auto drop = [](void* pointer) { delete static_cast<std::shared_ptr<const void>*>(pointer); };
    return QImage(frame.row(0), frame.width, frame.height, frame.width * 3, QImage::Format_RGB888, drop, kept);
}

}  // namespace mirror::ui
