#pragma once

// The colours of the window by their meaning. They travel in the palette, so that every widget sees a change of theme.

#include <QColor>
#include <QPalette>

namespace mirror::ui {

enum class Shade { Dark, Light };

enum class Ink { Gap, Ground, Panel, Field, Raised, Line, Text, Dim, Faint, Accent, OnAccent, Warn, Ok, Error };

// Faint is for marks and decoration, never for text that must be read.
QPalette paletteFor(Shade shade);
QColor ink(const QPalette& palette, Ink meaning);
QPalette::ColorRole roleOf(Ink meaning);

}  // namespace mirror::ui
