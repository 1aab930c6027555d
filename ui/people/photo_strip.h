#pragma once

// The photographs of one person as a row of small faces; a click or the arrow keys choose the one shown large.

#include <QWidget>

#include "ui/people/photo_list.h"

namespace mirror::ui {

class PhotoStrip : public QWidget {
    Q_OBJECT

public:
    explicit PhotoStrip(PhotoList& list, QWidget* parent = nullptr);

    QRect cell(int index) const;

    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    int columns(int width) const;
    void drawCell(QPainter& painter, int index) const;

    PhotoList& list_;
};

}  // namespace mirror::ui
