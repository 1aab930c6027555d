#pragma once

// One photograph with what was found in it: boxes, score, landmarks, the square that is cut out. A click or a digit
// chooses a face.

#include <QPixmap>
#include <QWidget>

#include "ui/ports/engine_client.h"

namespace mirror::ui {

class PhotoView : public QWidget {
    Q_OBJECT

public:
    explicit PhotoView(QWidget* parent = nullptr);

    // A null photo shows that one is being read.
    void show(const SharedPhoto& photo, int face);

    // Where a point of the photograph is drawn.
    QPointF viewFromPhoto(const QPointF& point) const;

    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;

Q_SIGNALS:
    void faceChosen(int face);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF pictureRect() const;
    QRectF boxRect(const FaceBox& face) const;
    int faceAt(const QPointF& position) const;  // -1 if none.
    void drawPicture(QPainter& painter);
    void drawSquare(QPainter& painter) const;
    void drawFace(QPainter& painter, int face) const;
    void drawLandmarks(QPainter& painter, const FaceBox& face) const;
    void drawTag(QPainter& painter, const QRectF& box, const QString& text, bool chosen) const;
    QString describe() const;

    SharedPhoto photo_;
    int face_ = 0;
    QPixmap scaled_;  // The picture at the size of the view, in device pixels.
};

}  // namespace mirror::ui
