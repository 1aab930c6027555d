#include "ui/people/photo_strip.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>

#include "ui/style/ink.h"
#include "ui/style/theme.h"
#include "ui/widgets/frame_image.h"

namespace mirror::ui {

namespace {

constexpr int kCell = 40;
constexpr int kGap = 6;
constexpr double kUnusedOpacity = 0.35;

}  // namespace

PhotoStrip::PhotoStrip(PhotoList& list, QWidget* parent) : QWidget(parent), list_(list) {
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(tr("Photographs"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    connect(&list_, &PhotoList::changed, this, [this] {
        updateGeometry();
        update();
    });
}

int PhotoStrip::columns(int width) const { return std::max(1, (width + kGap) / (kCell + kGap)); }

int PhotoStrip::heightForWidth(int width) const {
    const int rows = (static_cast<int>(list_.entries().size()) + columns(width) - 1) / columns(width);
    return std::max(1, rows) * (kCell + kGap) - kGap;
}

QSize PhotoStrip::sizeHint() const { return {276, heightForWidth(276)}; }

QRect PhotoStrip::cell(int index) const {
    const int across = columns(width());
    return {index % across * (kCell + kGap), index / across * (kCell + kGap), kCell, kCell};
}

void PhotoStrip::mousePressEvent(QMouseEvent* event) {
    for (int i = 0; i < static_cast<int>(list_.entries().size()); ++i) {
        if (cell(i).contains(event->position().toPoint())) list_.show(i);
    }
}

void PhotoStrip::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Left:
            return list_.show(list_.current() - 1);
        case Qt::Key_Right:
            return list_.show(list_.current() + 1);
        default:
            QWidget::keyPressEvent(event);
    }
}

void PhotoStrip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::SmoothPixmapTransform);
    for (int i = 0; i < static_cast<int>(list_.entries().size()); ++i) drawCell(painter, i);
}

void PhotoStrip::drawCell(QPainter& painter, int index) const {
    const PhotoEntry& entry = list_.entries()[static_cast<std::size_t>(index)];
    const QRectF place = QRectF(cell(index)).adjusted(1.5, 1.5, -1.5, -1.5);
    QPainterPath outline;
    outline.addRoundedRect(place, 4, 4);
    painter.fillPath(outline, ink(palette(), Ink::Field));
    if (entry.hasFace()) {
        painter.save();
        painter.setClipPath(outline);
        painter.setOpacity(index < usedPhotos(list_) ? 1.0 : kUnusedOpacity);
        painter.drawImage(place, imageOf(entry.photo->crops[static_cast<std::size_t>(entry.face)].square, entry.photo));
        painter.restore();
    } else if (entry.photo) {
        painter.setPen(ink(palette(), Ink::Warn));
        painter.setFont(textFont());
        painter.drawText(place, Qt::AlignCenter, QStringLiteral("?"));
    }
    if (index != list_.current()) return;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(ink(palette(), hasFocus() ? Ink::Text : Ink::Accent), 2));
    painter.drawRoundedRect(place, 4, 4);
}

}  // namespace mirror::ui
