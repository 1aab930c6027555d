#include "ui/widgets/number_fields.h"

#include <QWheelEvent>
#include <algorithm>

namespace mirror::ui {

namespace {

template <typename Field>
void dressField(Field& field, const QString& name) {
    field.setButtonSymbols(QAbstractSpinBox::NoButtons);
    field.setAlignment(Qt::AlignRight);
    field.setFocusPolicy(Qt::StrongFocus);
    field.setKeyboardTracking(false);
    field.setLocale(QLocale::c());
    field.setAccessibleName(name);
}

}  // namespace

WholeField::WholeField(int low, int high, const QString& name, QWidget* parent) : QSpinBox(parent) {
    dressField(*this, name);
    setRange(low, high);
}

void WholeField::wheelEvent(QWheelEvent* event) {
    if (hasFocus()) return QSpinBox::wheelEvent(event);
    event->ignore();
}

NumberField::NumberField(double low, double high, int decimals, const QString& name, QWidget* parent)
    : QDoubleSpinBox(parent) {
    dressField(*this, name);
    setDecimals(decimals);
    setRange(low, high);
}

void NumberField::wheelEvent(QWheelEvent* event) {
    if (hasFocus()) return QDoubleSpinBox::wheelEvent(event);
    event->ignore();
}

FramesField::FramesField(int stride, int high, const QString& name, QWidget* parent)
    : WholeField(1, high, name, parent), stride_(stride) {}

void FramesField::setStride(int stride) {
    stride_ = stride;
    setValue(nearest(value()));
}

int FramesField::nearest(int frames) const {
    const int groups = std::clamp((frames - 1 + stride_ / 2) / stride_, 0, (maximum() - 1) / stride_);
    return groups * stride_ + 1;
}

QValidator::State FramesField::validate(QString& text, int& position) const {
    const QValidator::State state = QSpinBox::validate(text, position);
    if (state != QValidator::Acceptable) return state;
    return (valueFromText(text) - 1) % stride_ == 0 ? QValidator::Acceptable : QValidator::Intermediate;
}

void FramesField::fixup(QString& text) const { text = textFromValue(nearest(valueFromText(text))); }

void FramesField::stepBy(int steps) { setValue(nearest(value()) + steps * stride_); }

}  // namespace mirror::ui
