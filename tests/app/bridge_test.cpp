// The threads between window and engine: nothing is lost, nothing is late, nothing outlives its thread.

#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/bridge/threaded_engine_client.h"
#include "tests/app/fake_session.h"
#include "tests/app/observed_application.h"

using namespace mirror;
using namespace mirror::app;

namespace {

std::unique_ptr<ThreadedEngineClient> openClient(Script& script, bool refusesToWrite = false) {
    DeskTools tools;
    tools.openFaces = [&script] { return std::make_unique<FakeFaceReader>(script); };
    tools.squareOf = [](int, int, const FaceBox& face) -> Result<ui::SquareRegion> {
        return ui::SquareRegion{static_cast<int>(face.x0) - 100, static_cast<int>(face.y0) - 100, 400};
    };
    tools.readModel = [](const std::filesystem::path& folder) -> Result<ui::ModelCard> {
        if (folder.filename() == "none") return Error{ErrorCode::MissingFile, "none holds no model."};
        ui::ModelCard card;
        card.hasAdapter = true;
        return card;
    };
    tools.readClip = [](const std::filesystem::path&) -> Result<ui::LoadedClip> {
        ui::LoadedClip clip;
        clip.frames.resize(17);
        return clip;
    };
    return std::make_unique<ThreadedEngineClient>(
        [&script]() -> Result<std::unique_ptr<engine::Session>> {
            return std::unique_ptr<engine::Session>(new FakeSession(script));
        },
        [refusesToWrite](const QString&) { return std::make_unique<FakeSink>(refusesToWrite); }, tools);
}

}  // namespace

class BridgeTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void jobRunsFromBeginToEnd() {
        Script script;
        const auto client = openClient(script);
        QSignalSpy started(client.get(), &ui::EngineClient::started);
        QSignalSpy noticed(client.get(), &ui::EngineClient::noticed);
        QSignalSpy finished(client.get(), &ui::EngineClient::finished);
        const QUuid job = client->submit({}, "/takes/a.mp4");
        QTRY_COMPARE(finished.size(), 1);
        QCOMPARE(started.size(), 1);
        QCOMPARE(noticed.size(), 1);
        QCOMPARE(finished.first().first().toUuid(), job);
        const auto report = finished.first().at(1).value<ui::TakeReport>();
        QCOMPARE(report.file, QString("/takes/a.mp4"));
        QCOMPARE(report.stepsRun, 5);
        QVERIFY(report.randomWeights);
    }

    void sessionBelongsToTheEngineThread() {
        Script script;
        {
            const auto client = openClient(script);
            QSignalSpy finished(client.get(), &ui::EngineClient::finished);
            client->submit({}, "/a.mp4");
            client->submit({}, "/b.mp4");
            QTRY_COMPARE(finished.size(), 2);
        }
        QCOMPARE(script.sessionsMade.load(), 1);
        QCOMPARE(script.sessionsGone.load(), 1);
        QVERIFY(script.sessionThread != QThread::currentThread());
        QCOMPARE(script.sessionGoneOn.load(), script.sessionThread.load());
    }

    void cancelStopsWithinAStep() {
        Script script;
        script.steps = 10000;
        script.stepMs = 5;
        const auto client = openClient(script);
        QSignalSpy failed(client.get(), &ui::EngineClient::failed);
        const QUuid job = client->submit({}, "/a.mp4");
        QTRY_VERIFY(script.stepsDone > 3);
        QElapsedTimer clock;
        clock.start();
        client->cancel(job);
        QTRY_COMPARE(failed.size(), 1);
        QVERIFY2(clock.elapsed() < 1000, qPrintable(QString::number(clock.elapsed())));
        QCOMPARE(failed.first().at(1).value<Error>().code, ErrorCode::Cancelled);
        client->cancel(job);  // It has ended: nothing happens.
    }

    void waitingJobIsCancelledBeforeItBegins() {
        Script script;
        script.steps = 40;
        const auto client = openClient(script);
        QSignalSpy started(client.get(), &ui::EngineClient::started);
        QSignalSpy failed(client.get(), &ui::EngineClient::failed);
        client->submit({}, "/a.mp4");
        client->cancel(client->submit({}, "/b.mp4"));
        QTRY_COMPARE(failed.size(), 1);
        QCOMPARE(started.size(), 1);
    }

    void closingInTheMiddleOfAJobIsQuick() {
        Script script;
        script.steps = 10000;
        auto client = openClient(script);
        client->submit({}, "/a.mp4");
        client->submit({}, "/b.mp4");
        QTRY_VERIFY(script.stepsDone > 2);
        QElapsedTimer clock;
        clock.start();
        client.reset();
        QVERIFY2(clock.elapsed() < 1000, qPrintable(QString::number(clock.elapsed())));
        QCOMPARE(script.sessionsGone.load(), 1);
    }

    void closingAtOnceIsHarmless() {
        Script script;
        for (int i = 0; i < 20; ++i) {
            const auto client = openClient(script);
            client->submit({}, "/a.mp4");
            client->inspectPhoto("/p/a.jpg");
        }
        QCOMPARE(script.sessionsMade.load(), script.sessionsGone.load());
    }

    void slowWindowSkipsPreviews() {
        Script script;
        script.steps = 100;
        script.stepMs = 1;
        script.previewsPerStep = 20;
        const auto client = openClient(script);
        QSignalSpy finished(client.get(), &ui::EngineClient::finished);
        int told = 0;
        int taken = 0;
        connect(client.get(), &ui::EngineClient::previewReady, this, [&](const QUuid& job) {
            ++told;
            if (client->takePreview(job)) ++taken;
            QTest::qSleep(10);
        });
        client->submit({}, "/a.mp4");
        QTRY_COMPARE(finished.size(), 1);
        QVERIFY(taken > 0);
        QCOMPARE(taken, told);
        QVERIFY2(told < 200, qPrintable(QString::number(told)));  // Of 2,000.
    }

    void progressDoesNotFlood() {
        Script script;
        script.steps = 2000;
        script.stepMs = 0;
        script.previewsPerStep = 0;
        const auto client = openClient(script);
        QSignalSpy progressed(client.get(), &ui::EngineClient::progressed);
        QSignalSpy finished(client.get(), &ui::EngineClient::finished);
        client->submit({}, "/a.mp4");
        QTRY_COMPARE(finished.size(), 1);
        QVERIFY2(progressed.size() < 200, qPrintable(QString::number(progressed.size())));
        QCOMPARE(progressed.last().at(1).value<Progress>().step, 2000);  // The last is always told.
    }

    void failureOfTheSinkIsTheJobs() {
        Script script;
        const auto client = openClient(script, true);
        QSignalSpy failed(client.get(), &ui::EngineClient::failed);
        client->submit({}, "/a.mp4");
        QTRY_COMPARE(failed.size(), 1);
        QCOMPARE(failed.first().at(1).value<Error>().detail, std::string("The disk is full."));
    }

    void photographsAreReadWhileAJobRuns() {
        Script script;
        script.steps = 10000;
        const auto client = openClient(script);
        QSignalSpy inspected(client.get(), &ui::EngineClient::photoInspected);
        QSignalSpy finished(client.get(), &ui::EngineClient::finished);
        client->submit({}, "/a.mp4");
        QTRY_VERIFY(script.stepsDone > 1);
        client->inspectPhoto("/p/a.jpg");
        QTRY_COMPARE(inspected.size(), 1);
        QCOMPARE(finished.size(), 0);
        const auto photo = inspected.first().at(1).value<ui::SharedPhoto>();
        QCOMPARE(photo->found.width, 2000);
        QCOMPARE(photo->picture.width, 1600);  // Reduced for showing.
        QCOMPARE(photo->picture.height, 800);
        QCOMPARE(photo->picture.rgb.size(), std::size_t{1600 * 800 * 3});
        QCOMPARE(photo->crops.size(), std::size_t{1});
        QCOMPARE(photo->squares.front().side, 400);
    }

    void unreadableFilesAreRefusedByName() {
        Script script;
        const auto client = openClient(script);
        QSignalSpy refused(client.get(), &ui::EngineClient::photoRefused);
        QSignalSpy inspected(client.get(), &ui::EngineClient::photoInspected);
        client->inspectPhoto("/p/notes.txt");
        client->inspectPhoto("/p/a.jpg");
        QTRY_COMPARE(inspected.size(), 1);
        QCOMPARE(refused.first().first().toString(), QString("/p/notes.txt"));
    }

    void modelsAndClipsAreAnswered() {
        Script script;
        const auto client = openClient(script);
        QSignalSpy known(client.get(), &ui::EngineClient::modelInspected);
        QSignalSpy unknown(client.get(), &ui::EngineClient::modelRefused);
        QSignalSpy loaded(client.get(), &ui::EngineClient::clipLoaded);
        client->inspectModel("/models/tiny");
        client->inspectModel("/models/none");
        client->loadClip("/takes/a.mp4");
        QTRY_COMPARE(loaded.size(), 1);
        QCOMPARE(known.size(), 1);
        QCOMPARE(unknown.size(), 1);
        QCOMPARE(loaded.first().at(1).value<ui::SharedClip>()->frames.size(), std::size_t{17});
    }

    void savedClipIsTheSameFileEvenIfTheWindowCloses() {
        QTemporaryDir folder;
        const QString take = folder.filePath("take.mp4");
        const QByteArray bytes(300000, 'v');
        QFile file(take);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        file.close();
        Script script;
        script.photoMs = 50;
        {
            const auto client = openClient(script);
            client->inspectPhoto("/p/a.jpg");
            client->saveClip(take, folder.filePath("mine.mp4"));
        }
        QFile saved(folder.filePath("mine.mp4"));
        QVERIFY(saved.open(QIODevice::ReadOnly));
        QCOMPARE(saved.readAll(), bytes);
    }

    void aClipThatCannotBeReadToItsEndIsNotSaved() {
        QTemporaryDir folder;
        Script script;
        const auto client = openClient(script);
        QSignalSpy not_saved(client.get(), &ui::EngineClient::clipNotSaved);
        client->saveClip("/proc/self/mem", folder.filePath("mine.mp4"));  // Opens, and then fails to read.
        QTRY_COMPARE(not_saved.size(), 1);
        QVERIFY(!QFile::exists(folder.filePath("mine.mp4")));
    }

    void savingNowhereSaysWhy() {
        QTemporaryDir folder;
        QFile file(folder.filePath("take.mp4"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("clip");
        file.close();
        Script script;
        const auto client = openClient(script);
        QSignalSpy not_saved(client.get(), &ui::EngineClient::clipNotSaved);
        client->saveClip(file.fileName(), folder.filePath("missing/mine.mp4"));
        client->saveClip(folder.filePath("gone.mp4"), folder.filePath("mine.mp4"));
        QTRY_COMPARE(not_saved.size(), 2);
        QVERIFY(QString::fromStdString(not_saved[0].at(1).value<Error>().detail).contains("missing"));
        QVERIFY(QString::fromStdString(not_saved[1].at(1).value<Error>().detail).contains("gone.mp4"));
    }
};

int main(int argc, char** argv) {
    ObservedApplication application(argc, argv);
    BridgeTest test;
    QTEST_SET_MAIN_SOURCE_PATH
    return QTest::qExec(&test, argc, argv);
}

#include "bridge_test.moc"
