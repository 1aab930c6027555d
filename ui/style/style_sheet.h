#pragma once

#include <QString>

#include "ui/style/ink.h"

namespace mirror::ui {

// How the standard controls look: one style sheet for the whole program.
QString styleSheetFor(Shade shade);

}  // namespace mirror::ui
