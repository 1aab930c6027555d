#include "ui/style/style_sheet.h"

#include <QHash>

namespace mirror::ui {

namespace {

// Words in braces are inks. Controls are 26 high with a radius of 5, sliders 3 with a knob of 11.
constexpr const char* kButtons = R"(
QPushButton { background: {raised}; border: 1px solid {line}; border-radius: 5px; padding: 0 9px; min-height: 24px;
              max-height: 24px; color: {text}; }
QPushButton:hover { border-color: {faint}; }
QPushButton:focus { border-color: {accent}; }
QPushButton:pressed { background: {field}; }
QPushButton:disabled { color: {faint}; }
QPushButton[role="main"] { background: {accent}; border-color: {accent}; color: {onaccent}; min-height: 30px;
                           max-height: 30px; }
QPushButton[role="main"]:hover { background: {accenthover}; border-color: {accenthover}; }
QPushButton[role="main"]:focus { border: 1px solid {text}; }
QPushButton[role="main"]:disabled { background: {raised}; border-color: {line}; color: {faint}; }
QPushButton[role="chip"] { background: {raised}; border-color: {raised}; border-radius: 4px; padding: 0 7px;
                           min-height: 18px; max-height: 18px; color: {dim}; }
QPushButton[role="chip"]:hover, QPushButton[role="chip"]:focus { border-color: {faint}; }
QPushButton[role="chip"]:checked { color: {accent}; }
QPushButton[role="flat"] { background: transparent; border-color: transparent; color: {dim}; padding: 0 6px; }
QPushButton[role="flat"]:hover { color: {text}; }
QPushButton[role="flat"]:focus { border-color: {accent}; }
)";

constexpr const char* kFields = R"(
QLineEdit, QAbstractSpinBox, QComboBox { background: {field}; border: 1px solid {line}; border-radius: 5px; padding: 0 7px;
    min-height: 24px; max-height: 24px; color: {text}; selection-background-color: {accent};
    selection-color: {onaccent}; }
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: {faint}; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { border-color: {accent}; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled { color: {faint}; }
QLineEdit[invalid="true"] { border-color: {error}; }
QComboBox QLineEdit, QAbstractSpinBox QLineEdit { border: none; padding: 0; background: transparent; min-height: 0; }
QComboBox { padding-right: 0; }
QComboBox::drop-down { border: none; width: 15px; subcontrol-position: center right; }
QComboBox::down-arrow { image: url(:/icons/chevron-{shade}.svg); width: 8px; height: 8px; }
QComboBox QAbstractItemView { background: {raised}; border: 1px solid {line}; color: {text}; outline: none; padding: 3px;
    selection-background-color: {accent}; selection-color: {onaccent}; }
QTextEdit { background: {field}; border: 1px solid {line}; border-radius: 5px; padding: 4px 5px; color: {text};
    selection-background-color: {accent}; selection-color: {onaccent}; }
QTextEdit:focus { border-color: {accent}; }
)";

constexpr const char* kSliders = R"(
QSlider { min-height: 19px; max-height: 19px; }
QSlider::groove:horizontal { background: {line}; height: 3px; border-radius: 1px; }
QSlider::sub-page:horizontal { background: {accent}; height: 3px; border-radius: 1px; }
QSlider::sub-page:horizontal:disabled { background: {faint}; }
QSlider::handle:horizontal { background: {knob}; border: 1px solid {knobedge}; width: 9px; height: 9px; margin: -4px 0;
    border-radius: 5px; }
QSlider::handle:horizontal:focus { border-color: {accent}; }
QSlider::handle:horizontal:disabled { background: {line}; border-color: {line}; }
QProgressBar { background: {line}; border: none; border-radius: 1px; min-height: 3px; max-height: 3px; }
QProgressBar::chunk { background: {accent}; border-radius: 1px; }
)";

constexpr const char* kFrames = R"(
QToolTip { background: {raised}; color: {text}; border: 1px solid {line}; padding: 4px 6px; }
QMenu { background: {raised}; border: 1px solid {line}; padding: 4px; color: {text}; }
QMenu::item { padding: 4px 24px 4px 22px; border-radius: 3px; }
QMenu::item:selected { background: {accent}; color: {onaccent}; }
QMenu::item:disabled { color: {faint}; }
QMenu::separator { height: 1px; background: {line}; margin: 4px 6px; }
QMenu::indicator { width: 8px; height: 8px; left: 7px; border-radius: 4px; background: transparent; }
QMenu::indicator:checked { background: {accent}; }
QSplitter::handle { background: {gap}; }
QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 9px; margin: 0; }
QScrollBar::handle:vertical { background: {line}; border-radius: 3px; min-height: 24px; margin: 1px 2px; }
QScrollBar::handle:vertical:hover { background: {faint}; }
QScrollBar:horizontal { background: transparent; height: 9px; margin: 0; }
QScrollBar::handle:horizontal { background: {line}; border-radius: 3px; min-width: 24px; margin: 2px 1px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
)";

QHash<QString, QColor> inksByWord(Shade shade) {
    const QPalette palette = paletteFor(shade);
    const QColor accent = ink(palette, Ink::Accent);
    return {
        {"gap", ink(palette, Ink::Gap)},
        {"field", ink(palette, Ink::Field)},
        {"raised", ink(palette, Ink::Raised)},
        {"line", ink(palette, Ink::Line)},
        {"text", ink(palette, Ink::Text)},
        {"dim", ink(palette, Ink::Dim)},
        {"faint", ink(palette, Ink::Faint)},
        {"accent", accent},
        {"accenthover", shade == Shade::Dark ? accent.lighter(108) : accent.darker(108)},
        {"onaccent", ink(palette, Ink::OnAccent)},
        {"error", ink(palette, Ink::Error)},
        {"knob", shade == Shade::Dark ? QColor(0xe8, 0xec, 0xf0) : QColor(Qt::white)},
        {"knobedge", shade == Shade::Dark ? QColor(0xe8, 0xec, 0xf0) : ink(palette, Ink::Faint)},
    };
}

}  // namespace

QString styleSheetFor(Shade shade) {
    QString sheet =
        QString::fromLatin1(kButtons) + QLatin1String(kFields) + QLatin1String(kSliders) + QLatin1String(kFrames);
    const auto inks = inksByWord(shade);
    for (auto it = inks.begin(); it != inks.end(); ++it) sheet.replace('{' + it.key() + '}', it.value().name());
    return sheet.replace(QLatin1String("{shade}"), QLatin1String(shade == Shade::Dark ? "dark" : "light"));
}

}  // namespace mirror::ui
