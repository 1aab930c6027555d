#pragma once

// One part of the window: a heading line of 32 and a body under a one-pixel line. No frame, no shadow.

#include <QHBoxLayout>
#include <QVBoxLayout>
#include <QWidget>

class QLabel;

namespace mirror::ui {

class Panel : public QWidget {
    Q_OBJECT

public:
    explicit Panel(const QString& title, QWidget* parent = nullptr);

    QLabel& title() const { return *title_; }
    // Right of the title.
    QHBoxLayout& header() const { return *header_; }
    // Below the line, without margins.
    QVBoxLayout& body() const { return *body_; }

private:
    QLabel* title_;
    QHBoxLayout* header_;
    QVBoxLayout* body_;
};

}  // namespace mirror::ui
