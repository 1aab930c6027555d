#pragma once

// A slider with its number beside it; both may be used, both always agree.

#include <QSlider>
#include <QWidget>

#include "ui/widgets/number_fields.h"

namespace mirror::ui {

class NumberSlider : public QWidget {
    Q_OBJECT

public:
    NumberSlider(double low, double high, int decimals, const QString& name, QWidget* parent = nullptr);

    double value() const { return field_->value(); }
    void setValue(double value);
    QSlider& slider() const { return *slider_; }
    NumberField& field() const { return *field_; }

Q_SIGNALS:
    void valueChanged(double value);

private:
    double scale_;
    QSlider* slider_;
    NumberField* field_;
};

}  // namespace mirror::ui
