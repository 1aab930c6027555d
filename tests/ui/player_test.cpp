// The loop: its speed, its place, and what a newer preview does to it.

#include <QSignalSpy>
#include <QTest>

#include "ui/viewer/frame_player.h"

using namespace mirror::ui;

namespace {

std::vector<QImage> frames(int count, const QColor& color) {
    QImage image(8, 8, QImage::Format_RGB888);
    image.fill(color);
    return std::vector<QImage>(static_cast<std::size_t>(count), image);
}

}  // namespace

class PlayerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void playsAtItsOwnSpeedInALoop() {
        FramePlayer player;
        QElapsedTimer clock;
        QSignalSpy moves(&player, &FramePlayer::frameChanged);
        clock.start();
        player.setFrames(frames(4, Qt::red), 20, Playback::Restart);
        QTRY_VERIFY_WITH_TIMEOUT(moves.size() >= 13, 3000);  // The first picture and twelve changes: three rounds.
        const double seconds = clock.elapsed() / 1000.0;
        QVERIFY2(seconds > 0.5, qPrintable(QString::number(seconds)));
        QVERIFY(player.isPlaying());
    }

    void stopsAtTheEndWithoutLoop() {
        FramePlayer player;
        player.setLoops(false);
        player.setFrames(frames(3, Qt::red), 50, Playback::Restart);
        QTRY_VERIFY(!player.isPlaying());
        QCOMPARE(player.index(), 2);
        player.play();
        QCOMPARE(player.index(), 0);
    }

    void stepsAndSeeksPause() {
        FramePlayer player;
        player.setFrames(frames(5, Qt::red), 1, Playback::Restart);
        player.step(-1);
        QVERIFY(!player.isPlaying());
        QCOMPARE(player.index(), 4);
        player.step(1);
        QCOMPARE(player.index(), 0);
        player.seek(99);
        QCOMPARE(player.index(), 4);
    }

    void newerPreviewKeepsThePlace() {
        FramePlayer player;
        player.setFrames(frames(10, Qt::red), 1, Playback::Restart);
        player.seek(6);
        player.setFrames(frames(10, Qt::green), 1, Playback::KeepPlace);
        QCOMPARE(player.index(), 6);
        QCOMPARE(player.frame().pixelColor(0, 0), QColor(Qt::green));
        QVERIFY(!player.isPlaying());  // It was paused; nobody asked to play.
        player.setFrames(frames(5, Qt::blue), 1, Playback::KeepPlace);
        QCOMPARE(player.index(), 3);
    }

    void nothingIsHarmless() {
        FramePlayer player;
        player.play();
        player.step(1);
        player.seek(3);
        player.clear();
        QVERIFY(!player.isPlaying());
        QVERIFY(player.frame().isNull());
    }
};

QTEST_GUILESS_MAIN(PlayerTest)
#include "player_test.moc"
