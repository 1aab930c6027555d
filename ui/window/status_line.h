#pragma once

#include <QWidget>

#include "ui/style/ink.h"

class QLabel;
class QProgressBar;

namespace mirror::ui {

class ElidedLabel;

// The line below everything: what is being done and how long it takes, or what was said last.
class StatusLine : public QWidget {
    Q_OBJECT

public:
    explicit StatusLine(QWidget* parent = nullptr);

    // `fraction` is negative while unknown.
    void showRun(const QString& sentence, double fraction, const QString& timeLeft);
    void showMessage(const QString& sentence, Ink meaning);

    QString sentence() const;
    QString timeLeft() const;
    bool showsRun() const;

private:
    ElidedLabel* sentence_;
    QProgressBar* bar_;
    QLabel* left_;
};

}  // namespace mirror::ui
