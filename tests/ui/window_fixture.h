#pragma once

// The whole window on a fake engine, with settings and folders of its own.

#include <QElapsedTimer>
#include <QSettings>
#include <QTemporaryDir>
#include <QTimer>

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

// The longest time for which the event loop did not come round.
class LoopWatch : public QObject {
    Q_OBJECT

public:
    LoopWatch();
    qint64 longestGapMs() const { return longest_; }

private:
    QTimer timer_;
    QElapsedTimer since_;
    qint64 longest_ = 0;
};

}  // namespace mirror::ui
