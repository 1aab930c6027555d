#include "ui/widgets/icon_button.h"

#include <QPainter>
#include <QSvgRenderer>

namespace mirror::ui {

namespace {

constexpr int kButtonSide = 26;
constexpr double kRadius = 5;

}  // namespace

QPixmap paintedSign(const QString& icon, int pixels, const QColor& color, double deviceRatio) {
    QPixmap pixmap(QSize(pixels, pixels) * deviceRatio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    QSvgRenderer(QStringLiteral(":/icons/%1.svg").arg(icon)).render(&painter, QRectF(pixmap.rect()));
    painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
    painter.fillRect(pixmap.rect(), color);
    painter.end();
    pixmap.setDevicePixelRatio(deviceRatio);
    return pixmap;
}

IconButton::IconButton(const QString& icon, const QString& name, QWidget* parent) : QAbstractButton(parent) {
    setSign(icon, name);
    setFocusPolicy(Qt::TabFocus);
    setFixedSize(sizeHint());
    setAttribute(Qt::WA_Hover);
}

void IconButton::setSign(const QString& icon, const QString& name) {
    icon_ = icon;
    setAccessibleName(name);
    setToolTip(name);
    update();
}

void IconButton::setSignSize(int pixels) {
    signSize_ = pixels;
    update();
}

void IconButton::setSignInk(Ink meaning) {
    ink_ = meaning;
    update();
}

QSize IconButton::sizeHint() const { return {kButtonSide, kButtonSide}; }

Ink IconButton::currentInk() const {
    if (!isEnabled()) return Ink::Line;
    if (isCheckable()) return isChecked() ? Ink::Accent : Ink::Faint;
    return underMouse() ? Ink::Text : ink_;
}

void IconButton::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    if (isEnabled() && (underMouse() || isDown())) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(ink(palette(), isDown() ? Ink::Field : Ink::Raised));
        painter.drawRoundedRect(box, kRadius, kRadius);
    }
    if (hasFocus()) {
        painter.setPen(ink(palette(), Ink::Accent));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(box, kRadius, kRadius);
    }
    const QPointF corner((width() - signSize_) / 2.0, (height() - signSize_) / 2.0);
    painter.drawPixmap(corner, paintedSign(icon_, signSize_, ink(palette(), currentInk()), devicePixelRatioF()));
}

}  // namespace mirror::ui
