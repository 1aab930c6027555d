// The list of photographs, how they come in, and how a face is chosen.

#include <QFileInfo>
#include <QImage>
#include <QMimeData>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>

#include "tests/ui/fake_engine_client.h"
#include "ui/people/people_panel.h"
#include "ui/people/photo_intake.h"
#include "ui/people/photo_list.h"
#include "ui/people/photo_strip.h"
#include "ui/people/photo_view.h"

using namespace mirror::ui;

class PhotosTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyPhotographIsInspectedOnce() {
        FakeEngineClient client;
        PhotoList list(client);
        list.add({"/p/a.jpg", "/p/b.jpg", "/p/a.jpg"});
        QCOMPARE(client.askedPhotos, QStringList({"/p/a.jpg", "/p/b.jpg"}));
        QCOMPARE(list.current(), 0);  // The repeated one is shown.
    }

    void atMostTwelve() {
        FakeEngineClient client;
        PhotoList list(client);
        QSignalSpy refusals(&list, &PhotoList::refused);
        QStringList files;
        for (int i = 0; i < 14; ++i) files << QString("/p/%1.jpg").arg(i);
        list.add(files);
        QCOMPARE(static_cast<int>(list.entries().size()), 12);
        QCOMPARE(refusals.size(), 1);
        QCOMPARE(static_cast<int>(list.references().size()), 4);
    }

    void unreadableFilesLeaveWithTheirSentence() {
        FakeEngineClient client;
        PhotoList list(client);
        PeoplePanel panel(list);
        list.add({"/p/good.jpg", "/p/notes.txt"});
        Q_EMIT client.photoRefused("/p/notes.txt", {mirror::ErrorCode::MalformedFile, "notes.txt is no photograph."});
        QCOMPARE(static_cast<int>(list.entries().size()), 1);
        QCOMPARE(list.current(), 0);
        QCOMPARE(panel.message(), QString("notes.txt is no photograph."));
    }

    void everyMessageStaysUntilTheyAreCleared() {
        FakeEngineClient client;
        PhotoList list(client);
        PeoplePanel panel(list);
        for (const char* sentence : {"One.", "Two.", "One."}) panel.addMessage(sentence);
        QCOMPARE(panel.message(), QString("One.\nTwo."));
        panel.clearMessages();
        QCOMPARE(panel.message(), QString());
    }

    void answersForRemovedPhotographsAreIgnored() {
        FakeEngineClient client;
        PhotoList list(client);
        list.add({"/p/a.jpg"});
        list.remove(0);
        client.answerPhoto(photoWithFaces(1));
        QVERIFY(list.entries().empty());
        QCOMPARE(list.current(), -1);
    }

    void faceIsNamedOnlyAmongSeveral() {
        FakeEngineClient client;
        PhotoList list(client);
        list.add({"/p/one.jpg"});
        client.answerPhoto(photoWithFaces(1));
        list.add({"/p/three.jpg"});
        client.answerPhoto(photoWithFaces(3));
        list.chooseFace(1, 2);
        list.chooseFace(1, 7);  // There is none such.
        const auto references = list.references();
        QVERIFY(!references[0].face.has_value());
        QCOMPARE(references[1].face.value(), 3);
    }

    void clickAndKeysChooseAFace() {
        PhotoView view;
        view.resize(300, 225);
        const SharedPhoto photo = photoWithFaces(3);
        view.show(photo, 0);
        QSignalSpy chosen(&view, &PhotoView::faceChosen);
        const mirror::FaceBox& last = photo->found.faces[2];
        const QPointF middle = view.viewFromPhoto({(last.x0 + last.x1) / 2, (last.y0 + last.y1) / 2});
        QTest::mouseClick(&view, Qt::LeftButton, {}, middle.toPoint());
        QCOMPARE(chosen.takeFirst().first().toInt(), 2);
        QTest::mouseClick(&view, Qt::LeftButton, {}, QPoint(2, 2));
        QVERIFY(chosen.isEmpty());
        QTest::keyClick(&view, Qt::Key_2);
        QCOMPARE(chosen.takeFirst().first().toInt(), 1);
        QTest::keyClick(&view, Qt::Key_Right);
        QCOMPARE(chosen.takeFirst().first().toInt(), 1);
        QTest::keyClick(&view, Qt::Key_9);
        QVERIFY(chosen.isEmpty());
    }

    void stripShowsTheClickedOne() {
        FakeEngineClient client;
        PhotoList list(client);
        PhotoStrip strip(list);
        strip.resize(276, 100);
        list.add({"/p/a.jpg", "/p/b.jpg", "/p/c.jpg"});
        QTest::mouseClick(&strip, Qt::LeftButton, {}, strip.cell(1).center());
        QCOMPARE(list.current(), 1);
        QTest::keyClick(&strip, Qt::Key_Left);
        QCOMPARE(list.current(), 0);
    }

    void localFilesAreTakenAndOthersAreNot() {
        PhotoIntake intake("/nowhere");
        QSignalSpy arrived(&intake, &PhotoIntake::arrived);
        QMimeData mime;
        mime.setUrls({QUrl("http://example.org/x.jpg")});
        QVERIFY(!PhotoIntake::canTake(mime));
        mime.setUrls({QUrl::fromLocalFile("/p/a.jpg"), QUrl::fromLocalFile("/p/b.png")});
        QVERIFY(PhotoIntake::canTake(mime));
        intake.take(mime);
        QCOMPARE(arrived.first().first().toStringList(), QStringList({"/p/a.jpg", "/p/b.png"}));
    }

    void pastedPicturesBecomeFiles() {
        QTemporaryDir folder;
        PhotoIntake intake(folder.filePath("pasted"));
        QSignalSpy arrived(&intake, &PhotoIntake::arrived);
        QImage picture(40, 30, QImage::Format_RGB888);
        picture.fill(QColor(10, 200, 30));
        QMimeData mime;
        mime.setImageData(picture);
        intake.take(mime);
        QTRY_COMPARE(arrived.size(), 1);
        const QImage read(arrived.first().first().toStringList().first());
        QCOMPARE(read.size(), picture.size());
        QCOMPARE(read.pixelColor(3, 3), QColor(10, 200, 30));
    }

    void encodedPicturesAreKeptAsTheyAre() {
        const QByteArray bytes("\xff\xd8\xff bytes that nobody has to understand here");
        QTemporaryDir folder;
        PhotoIntake intake(folder.filePath("pasted"));
        QSignalSpy arrived(&intake, &PhotoIntake::arrived);
        QMimeData mime;
        mime.setData("image/jpeg", bytes);
        QVERIFY(PhotoIntake::canTake(mime));
        intake.take(mime);
        QTRY_COMPARE(arrived.size(), 1);
        QFile kept(arrived.first().first().toStringList().first());
        QVERIFY(kept.fileName().endsWith(".jpeg"));
        QVERIFY(kept.open(QIODevice::ReadOnly));
        QCOMPARE(kept.readAll(), bytes);
    }

    void whatCannotBeKeptLeavesNothing() {
        QTemporaryDir folder;
        PhotoIntake intake(folder.filePath("pasted"));
        QSignalSpy refused(&intake, &PhotoIntake::refused);
        QMimeData mime;
        mime.setData("image/png", QByteArray());
        intake.take(mime);
        QTRY_COMPARE(refused.size(), 1);
        QVERIFY(QDir(folder.filePath("pasted")).isEmpty());
    }

    void emptyClipboardSaysSo() {
        PhotoIntake intake("/nowhere");
        QSignalSpy refused(&intake, &PhotoIntake::refused);
        intake.take(QMimeData());
        QCOMPARE(refused.size(), 1);
    }

    void paintsEveryState() {
        FakeEngineClient client;
        PhotoList list(client);
        PeoplePanel panel(list);
        panel.resize(300, 900);
        QVERIFY(!panel.grab().isNull());
        list.add({"/p/a.jpg"});
        QVERIFY(!panel.grab().isNull());
        client.answerPhoto(photoWithFaces(0));
        QVERIFY(!panel.grab().isNull());
        list.add({"/p/b.jpg"});
        client.answerPhoto(photoWithFaces(4, 400, 900));
        QVERIFY(!panel.grab().isNull());
    }
};

QTEST_MAIN(PhotosTest)
#include "photos_test.moc"
