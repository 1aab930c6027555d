#pragma once

// The one place that knows everything: it makes the engine's client, the theme and the window, and joins them.

#include <QApplication>
#include <QSettings>

#include "app/bridge/threaded_engine_client.h"
#include "app/studio/options.h"
#include "ui/style/theme.h"
#include "ui/window/main_window.h"

namespace mirror::app {

class Studio {
public:
    // The application's name decides where settings and takes are kept.
    Studio(QApplication& application, const StudioOptions& options);

    ui::MainWindow& window() { return window_; }

private:
    QSettings settings_;
    ui::Theme theme_;
    ThreadedEngineClient client_;
    ui::MainWindow window_;
};

}  // namespace mirror::app
