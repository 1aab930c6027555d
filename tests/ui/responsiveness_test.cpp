// An engine that floods the window with previews and progress must not keep it from answering.

#include <QApplication>
#include <QTest>

#include "tests/ui/window_fixture.h"
#include "ui/take/take_runner.h"
#include "ui/viewer/frame_player.h"
#include "ui/viewer/viewer_panel.h"

using namespace mirror::ui;

namespace {

constexpr int kFloods = 400;
constexpr qint64 kLongestGapMs = 250;  // Generous: a frame of 16 ms on a machine that does something else as well.

}  // namespace

class ResponsivenessTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void floodOfPreviewsLeavesTheWindowAwake() {
        WindowFixture f;
        f.window.show();
        f.startTake();
        const mirror::SharedPreview preview = previewOf(Qt::red, 13, 8);
        LoopWatch watch;
        int sent = 0;
        QTimer flood;
        connect(&flood, &QTimer::timeout, this, [&] {
            f.client.preview(preview);
            f.client.tell(mirror::Stage::Denoise, ++sent, kFloods, 1);
        });
        flood.start(2);
        QTRY_VERIFY_WITH_TIMEOUT(sent >= kFloods, 20000);
        flood.stop();
        QVERIFY2(watch.longestGapMs() < kLongestGapMs, qPrintable(QString::number(watch.longestGapMs())));
        QVERIFY(f.client.takenPreviews <= sent);
        QVERIFY(f.window.viewer().player().isPlaying());
    }
};

QTEST_MAIN(ResponsivenessTest)
#include "responsiveness_test.moc"
