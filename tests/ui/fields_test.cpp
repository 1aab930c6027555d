// Sizes, frames, seeds: what may be typed and what becomes of it.

#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <limits>

#include "ui/shot/seed_field.h"
#include "ui/shot/size_field.h"
#include "ui/take/take_runner.h"
#include "ui/viewer/transport_bar.h"
#include "ui/widgets/number_slider.h"

using namespace mirror::ui;

class FieldsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sizesAreMultiplesOfSixteen_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QSize>("size");
        QTest::newRow("as listed") << QString::fromUtf8("720 × 480") << QSize(720, 480);
        QTest::newRow("letter x") << "720x480" << QSize(720, 480);
        QTest::newRow("spaces") << "  64 X 32 " << QSize(64, 32);
        QTest::newRow("smallest") << "16x16" << QSize(16, 16);
        QTest::newRow("largest") << "8192x8192" << QSize(8192, 8192);
        QTest::newRow("too large") << "8208x16" << QSize();
        QTest::newRow("not a multiple") << "721x480" << QSize();
        QTest::newRow("zero") << "0x480" << QSize();
        QTest::newRow("one number") << "720" << QSize();
        QTest::newRow("words") << "large" << QSize();
        QTest::newRow("overflow") << "99999999999x16" << QSize();
    }

    void sizesAreMultiplesOfSixteen() {
        QFETCH(QString, text);
        QFETCH(QSize, size);
        QCOMPARE(sizeOf(text).value_or(QSize()), size);
    }

    void framesBecomeOneMoreThanAMultiple_data() {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<int>("stride");
        QTest::addColumn<int>("frames");
        QTest::newRow("allowed") << "49" << 8 << 49;
        QTest::newRow("one") << "1" << 8 << 1;
        QTest::newRow("nearest below") << "51" << 8 << 49;
        QTest::newRow("nearest above") << "54" << 8 << 57;
        QTest::newRow("stride 16") << "50" << 16 << 49;
        QTest::newRow("largest") << "1025" << 8 << 1025;
        QTest::newRow("nearly largest") << "1024" << 16 << 1025;
    }

    void framesBecomeOneMoreThanAMultiple() {
        QFETCH(QString, typed);
        QFETCH(int, stride);
        QFETCH(int, frames);
        FramesField field(stride, 1025, "Frames");
        field.setValue(17);
        field.selectAll();
        QTest::keyClicks(&field, typed);
        QTest::keyClick(&field, Qt::Key_Return);
        QCOMPARE(field.value(), frames);
    }

    void arrowsStepByWholeGroups() {
        FramesField field(8, 1025, "Frames");
        field.setValue(49);
        QTest::keyClick(&field, Qt::Key_Up);
        QCOMPARE(field.value(), 57);
    }

    void sliderAndNumberAgree() {
        NumberSlider strength(0, 1.5, 2, "Strength");
        QSignalSpy changes(&strength, &NumberSlider::valueChanged);
        strength.slider().setValue(90);
        QCOMPARE(strength.value(), 0.9);
        strength.field().setValue(1.25);
        QCOMPARE(strength.slider().value(), 125);
        QCOMPARE(changes.size(), 2);
        strength.setValue(9);
        QCOMPARE(strength.value(), 1.5);
    }

    void seedsAreSixtyFourBits_data() {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<quint64>("seed");
        QTest::newRow("small") << "7" << quint64(7);
        QTest::newRow("grouped") << "418 022" << quint64(418022);
        QTest::newRow("largest") << "18446744073709551615" << std::numeric_limits<quint64>::max();
        QTest::newRow("too large") << "18446744073709551616" << quint64(5);
        QTest::newRow("negative") << "-1" << quint64(5);
        QTest::newRow("words") << "seven" << quint64(5);
    }

    void seedsAreSixtyFourBits() {
        QFETCH(QString, typed);
        QFETCH(quint64, seed);
        SeedField field;
        field.setSeed(5);
        field.field().setText(typed);
        field.commit();
        QCOMPARE(field.seed(), seed);
        QCOMPARE(field.field().text(), QString::number(seed));
        QCOMPARE(field.isLocked(), seed != 5);  // A typed seed is kept.
    }

    void timesReadLikeSpeech_data() {
        QTest::addColumn<double>("seconds");
        QTest::addColumn<QString>("text");
        QTest::newRow("unknown") << -1.0 << "";
        QTest::newRow("seconds") << 40.2 << "41 s left";
        QTest::newRow("minutes") << 200.0 << "3 min 20 s left";
        QTest::newRow("hours") << 7380.0 << "2 h 3 min left";
        QTest::newRow("nonsense") << std::numeric_limits<double>::infinity() << "";
    }

    void timesReadLikeSpeech() {
        QFETCH(double, seconds);
        QFETCH(QString, text);
        QCOMPARE(timeLeft(seconds), text);
    }

    void timecodeCountsFrames() {
        QCOMPARE(timecode(0, 8), QString("00:00:00"));
        QCOMPARE(timecode(12, 8), QString("00:01:04"));
        QCOMPARE(timecode(8 * 61 + 7, 8), QString("01:01:07"));
    }
};

QTEST_MAIN(FieldsTest)
#include "fields_test.moc"
