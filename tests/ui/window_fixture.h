#pragma once

// The whole window on a fake engine, with settings and folders of its own.

#include <QSettings>
#include <QTemporaryDir>

#include "tests/ui/fake_engine_client.h"
#include "ui/style/theme.h"
#include "ui/window/main_window.h"

namespace mirror::ui {

class WindowFixture {
public:
    WindowFixture();

    // Everything that Generate asks for: a model, a photograph with one face, a prompt.
    void makeReady();
    // makeReady(), Generate, and the engine has begun.
    void startTake();
    // A take from Generate to the clip playing.
    void finishTake(const QColor& color, bool randomWeights = false);

    QTemporaryDir folder;
    FakeEngineClient client;
    QSettings settings;
    Theme theme;
    MainWindow window;
};

}  // namespace mirror::ui
