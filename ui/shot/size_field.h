#pragma once

// Width and height of the clip: a list of usual sizes, or any two multiples of 16 typed as 720 x 480.

#include <QComboBox>
#include <QSize>
#include <optional>

namespace mirror::ui {

// Null if the text is no size that a model can make.
std::optional<QSize> sizeOf(const QString& text);
QString textOf(const QSize& size);

class SizeField : public QComboBox {
    Q_OBJECT

public:
    explicit SizeField(QWidget* parent = nullptr);

    // Null while what is typed is no size.
    std::optional<QSize> size() const { return sizeOf(currentText()); }
    void setSize(const QSize& size);

Q_SIGNALS:
    void changed();

protected:
    void wheelEvent(QWheelEvent* event) override;
};

}  // namespace mirror::ui
