#pragma once

// "What the model sees": the aligned face and the square crop, the very pixels that the encoders get.

#include <QWidget>

#include "ui/ports/engine_client.h"

namespace mirror::ui {

class ModelView : public QWidget {
    Q_OBJECT

public:
    explicit ModelView(QWidget* parent = nullptr);

    void show(const SharedPhoto& photo, int face);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void drawCrop(QPainter& painter, const QRectF& place, const Frame& crop, const QString& caption) const;

    SharedPhoto photo_;
    int face_ = 0;
};

}  // namespace mirror::ui
