#pragma once

// Text in one of the window's inks, and the one-pixel lines between parts.

#include <QLabel>

#include "ui/style/ink.h"

namespace mirror::ui {

enum class TextSize { Label, Text };

QLabel* makeLabel(const QString& text, Ink meaning, TextSize size = TextSize::Label);
QLabel* makeHeading(const QString& text, Ink meaning, TextSize size = TextSize::Label);
void setInk(QWidget& widget, Ink meaning);

// Shows as much of its text as fits and the rest as a tool tip.
class ElidedLabel : public QLabel {
    Q_OBJECT

public:
    explicit ElidedLabel(Qt::TextElideMode mode, QWidget* parent = nullptr);

    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    Qt::TextElideMode mode_;
};

class HairLine : public QWidget {
    Q_OBJECT

public:
    explicit HairLine(Ink meaning, QWidget* parent = nullptr);
};

}  // namespace mirror::ui
