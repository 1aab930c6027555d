#pragma once

// A flat button with one drawn sign, coloured from the palette when it is painted.

#include <QAbstractButton>

#include "ui/style/ink.h"

namespace mirror::ui {

class IconButton : public QAbstractButton {
    Q_OBJECT

public:
    // `icon` is a file name under :/icons without its ending; `name` is the tool tip and what a screen reader says.
    IconButton(const QString& icon, const QString& name, QWidget* parent = nullptr);

    void setSign(const QString& icon, const QString& name);
    void setSignSize(int pixels);
    void setSignInk(Ink meaning);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Ink currentInk() const;

    QString icon_;
    int signSize_ = 14;
    Ink ink_ = Ink::Dim;
};

// The sign of :/icons/NAME.svg in one colour.
QPixmap paintedSign(const QString& icon, int pixels, const QColor& color, double deviceRatio);

}  // namespace mirror::ui
