// What an engine that floods the window with previews and progress costs the window's thread. Measured in time of the
// processor on this thread alone, so that a busy machine changes nothing.

#include <time.h>

#include <QApplication>
#include <QTest>
#include <algorithm>
#include <functional>
#include <vector>

#include "tests/ui/window_fixture.h"
#include "ui/viewer/frame_player.h"
#include "ui/viewer/viewer_panel.h"

using namespace mirror::ui;

namespace {

constexpr int kRepeats = 41;
// A frame of a display of 60 Hz: what takes longer is seen as a stutter of everything else.
constexpr double kFrameMs = 1000.0 / 60;

double threadMs() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// The median of handling something, painting included.
double costOf(const std::function<void(int)>& happen) {
    std::vector<double> costs;
    for (int i = 0; i < kRepeats; ++i) {
        const double before = threadMs();
        happen(i);
        QCoreApplication::processEvents();
        costs.push_back(threadMs() - before);
    }
    std::nth_element(costs.begin(), costs.begin() + kRepeats / 2, costs.end());
    return costs[kRepeats / 2];
}

}  // namespace

class ResponsivenessTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // Of 49 frames of 720x480: 13 latent frames, a pixel for each cell.
    void aPreviewCostsLessThanAFrameOfTheDisplay() {
        WindowFixture f;
        f.window.show();
        f.startTake();
        const mirror::SharedPreview preview = previewOf(Qt::red, 13, 8);
        const double cost = costOf([&](int i) {
            f.client.preview(preview);
            f.client.tell(mirror::Stage::Denoise, i, kRepeats, 1);
        });
        QVERIFY2(cost < kFrameMs, qPrintable(QString::number(cost)));
        QVERIFY(f.window.viewer().player().isPlaying());
    }

    // However many come before the window's turn, the newest one is taken, once.
    void aFloodIsTakenOnceATurn() {
        WindowFixture f;
        f.window.show();
        f.startTake();
        const int before = f.client.takenPreviews;
        QMetaObject::invokeMethod(
            &f.client,
            [&] {
                for (int i = 0; i < 400; ++i) f.client.tell(mirror::Stage::Denoise, i, 400, 1);
                f.client.preview(previewOf(Qt::red, 13, 8));
            },
            Qt::QueuedConnection);
        const double start = threadMs();
        QCoreApplication::processEvents();
        QVERIFY2(threadMs() - start < 10 * kFrameMs, qPrintable(QString::number(threadMs() - start)));
        QCOMPARE(f.client.takenPreviews, before + 1);
    }

    void aFrameOfTheClipCostsLessThanAFrameOfTheDisplay() {
        WindowFixture f;
        f.window.show();
        f.startTake();
        f.client.finish();
        auto clip = std::make_shared<LoadedClip>();
        clip->file = f.client.target;
        for (int i = 0; i < 49; ++i) clip->frames.push_back(plainFrame(720, 480, QColor(5 * i, 100, 50)));
        f.client.answerClip(clip);
        const double cost = costOf([&](int i) { f.window.viewer().player().seek(i); });
        QVERIFY2(cost < kFrameMs, qPrintable(QString::number(cost)));
    }
};

QTEST_MAIN(ResponsivenessTest)
#include "responsiveness_test.moc"
