// The window on a fake engine: when a take can be made, what is shown while it is, and what is left when it fails.

#include <QAbstractSpinBox>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QProgressBar>
#include <QPushButton>
#include <QSlider>
#include <QTest>
#include <QUrl>

#include "tests/ui/window_fixture.h"
#include "ui/people/people_panel.h"
#include "ui/people/photo_list.h"
#include "ui/shot/prompt_edit.h"
#include "ui/shot/seed_field.h"
#include "ui/shot/shot_panel.h"
#include "ui/take/take_runner.h"
#include "ui/viewer/frame_canvas.h"
#include "ui/viewer/frame_player.h"
#include "ui/viewer/transport_bar.h"
#include "ui/viewer/viewer_panel.h"
#include "ui/window/status_line.h"
#include "ui/window/top_bar.h"

using namespace mirror::ui;
using mirror::ErrorCode;
using mirror::Stage;

namespace {

enum class Lacking { Nothing, Photo, Answer, Face, Prompt, ClassWord, Model, ModelAnswer, Adapter, Size };

}  // namespace

Q_DECLARE_METATYPE(Lacking)

class WindowTest : public QObject {
    Q_OBJECT

    static void lack(WindowFixture& f, Lacking what) {
        ModelCard card;
        card.hasAdapter = what != Lacking::Adapter;
        if (what != Lacking::Model) f.window.chooseModel(f.folder.path());
        if (what != Lacking::Model && what != Lacking::ModelAnswer) f.client.answerModel(card);
        if (what != Lacking::Photo) f.window.openPhotos({"/p/a.jpg"});
        if (what != Lacking::Photo && what != Lacking::Answer) {
            f.client.answerPhoto(photoWithFaces(what == Lacking::Face ? 0 : 1));
        }
        const char* prompt = what == Lacking::Prompt      ? " "
                             : what == Lacking::ClassWord ? "img smiles"
                                                          : "A woman img smiles";
        f.window.shot().prompt().setPlainText(prompt);
        if (what != Lacking::Size) return;
        auto* size = f.window.shot().findChild<QComboBox*>();
        size->setEditText("721 x 480");
    }

private Q_SLOTS:
    void generateSaysWhatIsMissing_data() {
        QTest::addColumn<Lacking>("lacking");
        QTest::addColumn<QString>("word");
        QTest::newRow("nothing") << Lacking::Nothing << "";
        QTest::newRow("photograph") << Lacking::Photo << "photograph";
        QTest::newRow("its answer") << Lacking::Answer << "Looking";
        QTest::newRow("face") << Lacking::Face << "a.jpg";
        QTest::newRow("prompt") << Lacking::Prompt << "prompt";
        QTest::newRow("class word") << Lacking::ClassWord << "before img";
        QTest::newRow("model") << Lacking::Model << "Choose a model";
        QTest::newRow("its card") << Lacking::ModelAnswer << "Reading";
        QTest::newRow("adapter") << Lacking::Adapter << "adapter";
        QTest::newRow("size") << Lacking::Size << "multiples of 16";
    }

    void generateSaysWhatIsMissing() {
        QFETCH(Lacking, lacking);
        QFETCH(QString, word);
        WindowFixture f;
        lack(f, lacking);
        QCOMPARE(f.window.shot().generateButton().isEnabled(), lacking == Lacking::Nothing);
        QVERIFY2(f.window.shot().objection().contains(word), qPrintable(f.window.shot().objection()));
        f.window.generate();
        QCOMPARE(f.client.submissions, lacking == Lacking::Nothing ? 1 : 0);
    }

    void refusedModelShowsItsSentence() {
        WindowFixture f;
        f.makeReady();
        f.window.chooseModel("/no/model");
        Q_EMIT f.client.modelRefused("/no/model",
                                     {ErrorCode::MissingFile, "/no/model has no transformer/config.json."});
        QCOMPARE(f.window.shot().objection(), QString("/no/model has no transformer/config.json."));
    }

    void requestHoldsWhatTheWindowSays() {
        WindowFixture f;
        f.makeReady();
        ShotDraft draft = f.window.shot().draft();
        draft.negative = "blurred";
        draft.strength = 0.85;
        draft.size = QSize(240, 160);
        draft.frames = 17;
        draft.steps = 12;
        draft.guidance = 4.5;
        draft.seed = 123;
        draft.sampler = mirror::SamplerKind::Ddim;
        f.window.shot().apply(draft);
        f.window.generate();
        const mirror::GenerationRequest& r = f.client.request;
        QCOMPARE(r.prompt.positive, std::string("A woman img smiles"));
        QCOMPARE(r.prompt.negative, std::string("blurred"));
        QCOMPARE(r.identity.value, 0.85);
        QCOMPARE(r.video.width, 240);
        QCOMPARE(r.video.height, 160);
        QCOMPARE(r.video.frames, 17);
        QCOMPARE(r.sampling.steps, 12);
        QCOMPARE(r.sampling.guidance, 4.5);
        QCOMPARE(r.sampling.seed, std::uint64_t{123});
        QVERIFY(r.sampling.sampler == mirror::SamplerKind::Ddim);
        QVERIFY(r.sampling.dynamic_guidance == mirror::DynamicGuidance::Off);
        QCOMPARE(r.references.size(), std::size_t{1});
        QVERIFY(mirror::check_request(r).ok());
        QVERIFY(f.client.target.endsWith("-123.mp4"));
    }

    void seedChangesFromTakeToTakeUnlessKept() {
        WindowFixture f;
        f.finishTake(Qt::red);
        const auto first = f.client.request.sampling.seed;
        QCOMPARE(f.window.shot().seed().seed(), first);  // What is shown is what was used.
        f.window.generate();
        QVERIFY(f.client.request.sampling.seed != first);
        f.client.begin();
        f.client.fail(ErrorCode::Internal, "Stopped.");
        f.window.shot().seed().setSeed(first + 1);
        f.window.shot().seed().setLocked(true);
        f.window.generate();
        QCOMPARE(f.client.request.sampling.seed, first + 1);
        QCOMPARE(f.window.shot().seed().seed(), first + 1);
    }

    void droppedFilesAreInspected() {
        WindowFixture f;
        QMimeData mime;
        mime.setUrls({QUrl::fromLocalFile("/p/a.jpg"), QUrl::fromLocalFile("/p/b.jpg")});
        QDragEnterEvent enter(QPoint(400, 400), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&f.window, &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(400, 400), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&f.window, &drop);
        QCOMPARE(f.client.askedPhotos, QStringList({"/p/a.jpg", "/p/b.jpg"}));
    }

    void picturesArePastedAsPhotographsWhereverTheCursorIs() {
        WindowFixture f;
        f.window.show();
        QVERIFY(QTest::qWaitForWindowActive(&f.window));
        f.window.shot().prompt().setFocus();
        QImage picture(20, 20, QImage::Format_RGB888);
        picture.fill(Qt::yellow);
        QGuiApplication::clipboard()->setImage(picture);
        QTest::keyClick(&f.window.shot().prompt(), Qt::Key_V, Qt::ControlModifier);
        QTRY_COMPARE(f.client.askedPhotos.size(), 1);
        QGuiApplication::clipboard()->setText("a man img");
        QTest::keyClick(&f.window.shot().prompt(), Qt::Key_V, Qt::ControlModifier);
        QCOMPARE(f.window.shot().prompt().toPlainText(), QString("a man img"));
        QCOMPARE(f.client.askedPhotos.size(), 1);
    }

    void progressIsShownInWords() {
        WindowFixture f;
        f.startTake();
        QVERIFY(!f.window.shot().generateButton().isEnabled());
        QVERIFY(!f.window.viewer().cancelButton().isHidden());
        f.client.tell(Stage::Denoise, 18, 50, 40.5);
        QCOMPARE(f.window.status().sentence(), QString("Denoising step 18 of 50"));
        QCOMPARE(f.window.status().timeLeft(), QString("41 s left"));
        QCOMPARE(f.window.status().findChild<QProgressBar*>()->value(), 360);
        QVERIFY(f.window.status().showsRun());
    }

    void newestPreviewLoops() {
        WindowFixture f;
        f.startTake();
        f.client.preview(previewOf(Qt::red));
        QVERIFY(f.window.viewer().player().isPlaying());
        QCOMPARE(f.window.viewer().canvas().frame().pixelColor(5, 5), QColor(Qt::red));
        f.client.preview(previewOf(Qt::green, 3, 20, 2));
        QCOMPARE(f.window.viewer().canvas().frame().pixelColor(5, 5), QColor(Qt::green));
        QCOMPARE(f.window.viewer().player().framesPerSecond(), 20.0);
    }

    void finishedClipPlaysAndCanBeSaved() {
        WindowFixture f;
        QVERIFY(!f.window.bar().saveButton().isEnabled());
        f.finishTake(QColor(0, 0, 200));
        QCOMPARE(f.window.viewer().player().count(), 17);
        QVERIFY(f.window.viewer().player().isPlaying());
        QCOMPARE(f.window.viewer().player().framesPerSecond(), 8.0);
        QVERIFY(f.window.bar().saveButton().isEnabled());
        QVERIFY(f.window.shot().generateButton().isEnabled());
        f.window.saveTo("/videos/mine.mp4");
        QCOMPARE(f.client.saves.first().first, f.client.target);
        QCOMPARE(f.client.saves.first().second, QString("/videos/mine.mp4"));
        Q_EMIT f.client.clipSaved(f.client.target, "/videos/mine.mp4");
        QVERIFY(f.window.status().sentence().contains("/videos/mine.mp4"));
    }

    void randomWeightsAreAdmitted() {
        WindowFixture f;
        f.finishTake(Qt::gray, true);
        bool admitted = false;
        for (const QLabel* label : f.window.viewer().findChildren<QLabel*>()) {
            admitted = admitted || label->text().contains("Random weights");
        }
        QVERIFY(admitted);
    }

    void keysDriveThePlayer() {
        WindowFixture f;
        f.finishTake(Qt::blue);
        FramePlayer& player = f.window.viewer().player();
        f.window.show();
        f.window.viewer().canvas().setFocus();
        QWidget* viewer = &f.window.viewer().canvas();
        QTest::keyClick(viewer, Qt::Key_Space);
        QVERIFY(!player.isPlaying());
        QTest::keyClick(viewer, Qt::Key_End);
        QCOMPARE(player.index(), 16);
        QTest::keyClick(viewer, Qt::Key_Left);
        QCOMPARE(player.index(), 15);
        QTest::keyClick(viewer, Qt::Key_Left, Qt::ShiftModifier);
        QCOMPARE(player.index(), 7);
        QTest::keyClick(viewer, Qt::Key_Home);
        QCOMPARE(player.index(), 0);
        f.window.viewer().transport().slider().setValue(9);
        QCOMPARE(player.index(), 9);
    }

    void spaceInThePromptIsASpace() {
        WindowFixture f;
        f.finishTake(Qt::blue);
        f.window.show();
        f.window.shot().prompt().setFocus();
        QTest::keyClick(&f.window.shot().prompt(), Qt::Key_Space);
        QVERIFY(f.window.viewer().player().isPlaying());
        QVERIFY(f.window.shot().prompt().toPlainText().startsWith(' '));
    }

    void shortcutsGenerateAndCancel() {
        WindowFixture f;
        f.makeReady();
        f.window.show();
        QVERIFY(QTest::qWaitForWindowActive(&f.window));
        f.window.shot().prompt().setFocus();
        QTest::keyClick(&f.window.shot().prompt(), Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(f.client.submissions, 1);
        f.client.begin();
        QTest::keyClick(&f.window, Qt::Key_Escape);
        QCOMPARE(f.client.cancelled, QList<QUuid>({f.client.job}));
    }

    void cancelledTakeBringsTheLastClipBack() {
        WindowFixture f;
        f.finishTake(Qt::blue);
        f.window.generate();
        f.client.begin();
        f.client.preview(previewOf(Qt::red));
        f.window.cancel();
        f.window.cancel();  // Twice is once.
        QCOMPARE(f.client.cancelled.size(), 1);
        f.client.preview(previewOf(Qt::green));  // Too late: not shown any more.
        QCOMPARE(f.window.viewer().canvas().frame().pixelColor(5, 5), QColor(Qt::red));
        f.client.fail(ErrorCode::Cancelled, "Stopped by the user.");
        QCOMPARE(f.window.viewer().player().count(), 17);
        QCOMPARE(f.window.status().sentence(), QString("The take was cancelled."));
        QVERIFY(f.window.shot().generateButton().isEnabled());
    }

    void failedTakeShowsTheSentenceAndLosesNothing() {
        WindowFixture f;
        f.finishTake(Qt::blue);
        const ShotDraft before = f.window.shot().draft();
        f.window.generate();
        f.client.begin();
        f.client.preview(previewOf(Qt::red));
        f.client.fail(ErrorCode::OutOfMemory, "The model needs 24 GiB and there are 16 GiB.");
        QCOMPARE(f.window.status().sentence(), QString("The model needs 24 GiB and there are 16 GiB."));
        QCOMPARE(f.window.viewer().player().count(), 17);
        QCOMPARE(f.window.shot().draft().prompt, before.prompt);
        QCOMPARE(static_cast<int>(f.window.photos().entries().size()), 1);
        QVERIFY(f.window.shot().generateButton().isEnabled());
    }

    void clipThatCannotBeReadIsAFailure() {
        WindowFixture f;
        f.startTake();
        f.client.finish();
        Q_EMIT f.client.clipRefused(f.client.target, {ErrorCode::MalformedFile, "The clip cannot be read."});
        QCOMPARE(f.window.status().sentence(), QString("The clip cannot be read."));
        QVERIFY(!f.window.takes().isBusy());
    }

    void answersOfOtherJobsAreIgnored() {
        WindowFixture f;
        f.startTake();
        Q_EMIT f.client.finished(QUuid::createUuid(), {});
        Q_EMIT f.client.failed(QUuid::createUuid(), {ErrorCode::Internal, "somebody else's"});
        QVERIFY(f.window.takes().isBusy());
    }

    void modelFillsInWhatSuitsIt() {
        WindowFixture f;
        f.window.chooseModel(f.folder.path());
        ModelCard card;
        card.native = {480, 320, 33, {16, 1}};
        card.frameStride = 16;
        card.steps = 20;
        card.guidance = 3.5;
        f.client.answerModel(card);
        const ShotDraft draft = f.window.shot().draft();
        QCOMPARE(draft.steps, 20);
        QCOMPARE(draft.guidance, 3.5);
        QCOMPARE(draft.size.value(), QSize(480, 320));
        QCOMPARE(draft.frames, 33);
    }

    void everyThemePaints() {
        WindowFixture f;
        f.finishTake(Qt::blue);
        const QColor dark = f.window.grab().toImage().pixelColor(2, 2);
        f.theme.choose(ThemeChoice::Light);
        const QColor light = f.window.grab().toImage().pixelColor(2, 2);
        QCOMPARE(dark, QColor(0x1e2125));
        QCOMPARE(light, QColor(0xf7f8f9));
    }

    void everyControlThatTakesFocusHasAName() {
        WindowFixture f;
        f.makeReady();
        for (QWidget* widget : f.window.findChildren<QWidget*>()) {
            const bool inner =
                qobject_cast<QLineEdit*>(widget) && (qobject_cast<QAbstractSpinBox*>(widget->parentWidget()) ||
                                                     qobject_cast<QComboBox*>(widget->parentWidget()));
            if (widget->focusPolicy() == Qt::NoFocus || inner || widget->inherits("QComboBoxListView") ||
                widget->inherits("QMenu") || widget->inherits("QScrollArea") || widget->inherits("QSplitterHandle") ||
                widget->inherits("QFrame") || widget->inherits("QScrollBar")) {
                continue;
            }
            const auto* button = qobject_cast<QAbstractButton*>(widget);
            QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()),
                     widget->metaObject()->className());
        }
    }
};

QTEST_MAIN(WindowTest)
#include "window_test.moc"
