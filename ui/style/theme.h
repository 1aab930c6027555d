#pragma once

// Dresses the application: fonts, palette and style sheet, dark or light as the system says or as the person chose.

#include <QApplication>
#include <QFont>
#include <QObject>

#include "ui/style/ink.h"

namespace mirror::ui {

class SystemAppearance;

enum class ThemeChoice { System, Dark, Light };

// 12.5 px at 96 dots per inch, and 11.5 px for labels; in points, so that the system's text size is respected.
QFont textFont();
QFont labelFont();

class Theme : public QObject {
    Q_OBJECT

public:
    Theme(QApplication& application, ThemeChoice choice);

    ThemeChoice choice() const { return choice_; }
    Shade shade() const { return shade_; }
    void choose(ThemeChoice choice);

Q_SIGNALS:
    void changed();

private:
    void dress();

    QApplication& application_;
    ThemeChoice choice_;
    SystemAppearance* system_;
    Shade shade_ = Shade::Dark;
};

}  // namespace mirror::ui
