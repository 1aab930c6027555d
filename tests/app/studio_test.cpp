// The program as it is composed, on the tiny model: a photograph and a prompt become a clip that plays and can be
// saved.

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include "app/studio/composition.h"
#include "engine/media/video_file.h"
#include "engine/session/random_checkpoint.h"
#include "ui/people/people_panel.h"
#include "ui/people/photo_list.h"
#include "ui/shot/shot_panel.h"
#include "ui/take/take_runner.h"
#include "ui/viewer/frame_player.h"
#include "ui/viewer/viewer_panel.h"
#include "ui/window/status_line.h"

using namespace mirror;

namespace {

constexpr int kPatienceMs = 60000;
const char* const kPhoto = MIRROR_SOURCE_DIR "/resources/examples/astronaut.jpg";

}  // namespace

class StudioTest : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;

    app::StudioOptions options() const {
        app::StudioOptions options;
        options.model = folder_.filePath("tiny");
        options.photos = QStringList{QString::fromUtf8(kPhoto)};
        options.prompt = "a woman img in a spacesuit";
        return options;
    }

    static void setShot(app::Studio& studio, int steps, int frames) {
        ui::ShotDraft draft = studio.window().shot().draft();
        draft.size = QSize(64, 48);
        draft.steps = steps;
        draft.frames = frames;
        draft.seed = 3;
        studio.window().shot().apply(draft);
    }

    static bool isReady(app::Studio& studio) { return studio.window().shot().objection().isEmpty(); }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, folder_.path());
        const Status made = engine::init_checkpoint("tiny", 7, folder_.filePath("tiny").toStdString());
        QVERIFY2(made.ok(), made.ok() ? "" : made.error().detail.c_str());
    }

    void photographAndPromptBecomeAClip() {
        app::Studio studio(*qApp, options());
        ui::MainWindow& window = studio.window();
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(isReady(studio), kPatienceMs);
        QCOMPARE(window.photos().entries().front().photo->found.faces.size(), std::size_t{1});
        setShot(studio, 3, 9);
        QSignalSpy previews(&window.takes(), &ui::TakeRunner::previewArrived);
        QSignalSpy clips(&window.takes(), &ui::TakeRunner::clipArrived);
        window.generate();
        QVERIFY(window.takes().isBusy());
        QTRY_COMPARE_WITH_TIMEOUT(clips.size(), 1, kPatienceMs);
        QVERIFY(previews.size() >= 1);
        QCOMPARE(window.viewer().player().count(), 9);
        QVERIFY(window.viewer().player().isPlaying());
        QCOMPARE(window.viewer().player().frame().size(), QSize(64, 48));
        QVERIFY(window.takes().report()->randomWeights);

        const QString target = folder_.filePath("mine.mp4");
        window.saveTo(target);
        QTRY_VERIFY(QFile::exists(target));
        QTRY_VERIFY(window.status().sentence().contains(target));
        const auto saved = media::read_video(target.toStdString());
        QVERIFY(saved.ok());
        QCOMPARE(saved.value().frames.size(), std::size_t{9});
        QVERIFY(!saved.value().info.recipe.empty());
    }

    void cancelInTheMiddleLeavesTheWindowReady() {
        app::Studio studio(*qApp, options());
        ui::MainWindow& window = studio.window();
        QTRY_VERIFY_WITH_TIMEOUT(isReady(studio), kPatienceMs);
        setShot(studio, 1000, 9);
        QSignalSpy previews(&window.takes(), &ui::TakeRunner::previewArrived);
        window.generate();
        QTRY_VERIFY_WITH_TIMEOUT(previews.size() >= 1, kPatienceMs);
        window.cancel();
        QTRY_VERIFY_WITH_TIMEOUT(!window.takes().isBusy(), kPatienceMs);
        QCOMPARE(window.status().sentence(), QString("The take was cancelled."));
        QVERIFY(isReady(studio));
    }

    void closingInTheMiddleEndsTheProgram() {
        QElapsedTimer clock;
        {
            app::Studio studio(*qApp, options());
            QTRY_VERIFY_WITH_TIMEOUT(isReady(studio), kPatienceMs);
            setShot(studio, 1000, 9);
            QSignalSpy previews(&studio.window().takes(), &ui::TakeRunner::previewArrived);
            studio.window().generate();
            QTRY_VERIFY_WITH_TIMEOUT(previews.size() >= 1, kPatienceMs);
            clock.start();
        }
        QVERIFY2(clock.elapsed() < 5000, qPrintable(QString::number(clock.elapsed())));
    }

    void wrongModelAndWrongPhotographSayWhy() {
        app::StudioOptions wrong = options();
        wrong.model = folder_.path();
        wrong.photos = QStringList{QString::fromUtf8(__FILE__)};
        app::Studio studio(*qApp, wrong);
        QTRY_VERIFY(!studio.window().people().message().isEmpty());
        QVERIFY2(studio.window().people().message().contains("studio_test.cpp"),
                 qPrintable(studio.window().people().message()));
        studio.window().openPhotos({QString::fromUtf8(kPhoto)});
        QTRY_VERIFY_WITH_TIMEOUT(studio.window().shot().objection().contains("json"), kPatienceMs);
    }
};

QTEST_MAIN(StudioTest)
#include "studio_test.moc"
