#include "ui/people/model_view.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>

#include "ui/style/ink.h"
#include "ui/style/theme.h"
#include "ui/widgets/frame_image.h"

namespace mirror::ui {

namespace {

constexpr int kGap = 8;
constexpr int kCaption = 20;
constexpr int kSmallest = 64;
constexpr int kLargest = 112;  // The aligned face at its own size; the square crop is drawn twice as large, as it is.

}  // namespace

ModelView::ModelView(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("What the model sees"));
}

void ModelView::show(const SharedPhoto& photo, int face) {
    photo_ = photo;
    face_ = face;
    update();
}

QSize ModelView::sizeHint() const { return {276, 2 * 89 + kCaption}; }

void ModelView::paintEvent(QPaintEvent*) {
    if (!photo_ || photo_->crops.empty()) return;
    QPainter painter(this);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::SmoothPixmapTransform);
    painter.setFont(labelFont());
    const int side = std::clamp(std::min((width() - kGap) / 3, (height() - kCaption) / 2), kSmallest, kLargest);
    const FaceCrops& crops = photo_->crops[static_cast<std::size_t>(face_)];
    drawCrop(painter, QRectF(0, side, side, side), crops.aligned, tr("aligned %1").arg(crops.aligned.width));
    drawCrop(painter, QRectF(side + kGap, 0, 2 * side, 2 * side), crops.square, tr("crop %1").arg(crops.square.width));
}

void ModelView::drawCrop(QPainter& painter, const QRectF& place, const Frame& crop, const QString& caption) const {
    const QSize pixels = (place.size() * devicePixelRatioF()).toSize();
    const QImage scaled = imageOf(crop, photo_).scaled(pixels, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    QPainterPath outline;
    outline.addRoundedRect(place, 3, 3);
    painter.save();
    painter.setClipPath(outline);
    painter.drawImage(place, scaled);
    painter.restore();
    painter.setPen(ink(palette(), Ink::Dim));
    painter.drawText(QRectF(place.left(), place.bottom() + 3, place.width(), kCaption - 3),
                     Qt::AlignLeft | Qt::AlignVCenter, caption);
}

}  // namespace mirror::ui
