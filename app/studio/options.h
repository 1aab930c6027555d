#pragma once

// The words after the program's name.

#include <QString>
#include <QStringList>
#include <optional>

#include "engine/core/result.h"
#include "ui/shot/shot_draft.h"
#include "ui/style/theme.h"

namespace mirror::app {

struct StudioOptions {
    QString model;  // Empty: the one of the last time.
    QStringList photos;
    QString prompt;
    ui::RunPlace place;
    std::optional<ui::ThemeChoice> appearance;  // Null: the one of the last time.
    QString printed;                            // What was asked for instead of a window: the version or the help.
};

// `arguments` begins with the program's name; Qt's own options are passed over. Errors name the option. Needs an
// application object, of any kind.
Result<StudioOptions> readOptions(const QStringList& arguments);

}  // namespace mirror::app
