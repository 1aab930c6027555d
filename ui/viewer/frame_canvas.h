#pragma once

// Paints one picture as large as fits, or a few words while there is none.

#include <QImage>
#include <QWidget>

namespace mirror::ui {

class FrameCanvas : public QWidget {
    Q_OBJECT

public:
    explicit FrameCanvas(QWidget* parent = nullptr);

    void show(const QImage& frame);
    void setInvitation(const QString& title, const QString& advice);

    const QImage& frame() const { return frame_; }
    QRect pictureRect() const;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void drawInvitation(QPainter& painter) const;

    QImage frame_;
    QString title_;
    QString advice_;
};

}  // namespace mirror::ui
