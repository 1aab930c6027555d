#include "ui/widgets/number_slider.h"

#include <QHBoxLayout>
#include <QSignalBlocker>
#include <cmath>

namespace mirror::ui {

namespace {

constexpr int kFieldWidth = 64;

}  // namespace

NumberSlider::NumberSlider(double low, double high, int decimals, const QString& name, QWidget* parent)
    : QWidget(parent),
      scale_(std::pow(10.0, decimals)),
      slider_(new QSlider(Qt::Horizontal)),
      field_(new NumberField(low, high, decimals, name)) {
    slider_->setRange(static_cast<int>(std::lround(low * scale_)), static_cast<int>(std::lround(high * scale_)));
    slider_->setAccessibleName(name);
    slider_->setPageStep(static_cast<int>(scale_ / 10));
    field_->setSingleStep(5 / scale_);
    field_->setFixedWidth(kFieldWidth);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(slider_, 1);
    row->addWidget(field_);
    connect(slider_, &QSlider::valueChanged, this, [this](int position) { field_->setValue(position / scale_); });
    connect(field_, &QDoubleSpinBox::valueChanged, this, [this](double number) {
        const QSignalBlocker quiet(slider_);
        slider_->setValue(static_cast<int>(std::lround(number * scale_)));
        Q_EMIT valueChanged(number);
    });
}

void NumberSlider::setValue(double value) { field_->setValue(value); }

}  // namespace mirror::ui
