#include "ui/widgets/labels.h"

#include <QPainter>

#include "ui/style/theme.h"

namespace mirror::ui {

void setInk(QWidget& widget, Ink meaning) {
    widget.setForegroundRole(roleOf(meaning));
    widget.update();
}

QLabel* makeLabel(const QString& text, Ink meaning, TextSize size) {
    auto* label = new QLabel(text);
    label->setTextFormat(Qt::PlainText);
    label->setFont(size == TextSize::Text ? textFont() : labelFont());
    setInk(*label, meaning);
    return label;
}

QLabel* makeHeading(const QString& text, Ink meaning, TextSize size) {
    QLabel* label = makeLabel(text, meaning, size);
    QFont font = label->font();
    font.setWeight(QFont::DemiBold);
    label->setFont(font);
    return label;
}

ElidedLabel::ElidedLabel(Qt::TextElideMode mode, QWidget* parent) : QLabel(parent), mode_(mode) {
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
}

QSize ElidedLabel::minimumSizeHint() const { return {24, QLabel::minimumSizeHint().height()}; }

void ElidedLabel::resizeEvent(QResizeEvent* event) {
    QLabel::resizeEvent(event);
    setToolTip(fontMetrics().horizontalAdvance(text()) > width() ? text() : QString());
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    painter.drawText(rect(), static_cast<int>(alignment()), fontMetrics().elidedText(text(), mode_, width()));
}

HairLine::HairLine(Ink meaning, QWidget* parent) : QWidget(parent) {
    setFixedHeight(1);
    setAutoFillBackground(true);
    setBackgroundRole(roleOf(meaning));
}

}  // namespace mirror::ui
