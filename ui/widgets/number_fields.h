#pragma once

// Number fields without arrows: right-aligned, changed by typing, by the arrow keys, and by the wheel only while
// focused.

#include <QDoubleSpinBox>
#include <QSpinBox>

namespace mirror::ui {

class WholeField : public QSpinBox {
    Q_OBJECT

public:
    WholeField(int low, int high, const QString& name, QWidget* parent = nullptr);

protected:
    void wheelEvent(QWheelEvent* event) override;
};

class NumberField : public QDoubleSpinBox {
    Q_OBJECT

public:
    NumberField(double low, double high, int decimals, const QString& name, QWidget* parent = nullptr);

protected:
    void wheelEvent(QWheelEvent* event) override;
};

// The number of frames: one more than a multiple of `stride`. Other numbers become the nearest that is when editing
// ends.
class FramesField : public WholeField {
    Q_OBJECT

public:
    FramesField(int stride, int high, const QString& name, QWidget* parent = nullptr);

    int stride() const { return stride_; }
    void setStride(int stride);

protected:
    QValidator::State validate(QString& text, int& position) const override;
    void fixup(QString& text) const override;
    void stepBy(int steps) override;

private:
    int nearest(int frames) const;

    int stride_;
};

}  // namespace mirror::ui
