// The words after magic-mirror-studio.

#include <QTest>

#include "app/studio/options.h"

using namespace mirror::app;

class OptionsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyOptionArrives() {
        const auto read =
            readOptions({"magic-mirror-studio", "--model", "/m", "--photo", "a.jpg", "--photo", "b.jpg", "--prompt",
                         "a man img", "--device", "cuda:1", "--precision", "bf16", "--appearance", "light", "c.jpg"});
        QVERIFY(read.ok());
        const StudioOptions& options = read.value();
        QCOMPARE(options.model, QString("/m"));
        QCOMPARE(options.photos, QStringList({"a.jpg", "b.jpg", "c.jpg"}));
        QCOMPARE(options.prompt, QString("a man img"));
        QCOMPARE(options.place.device, std::string("cuda:1"));
        QVERIFY(options.place.precision == mirror::Precision::Bf16);
        QVERIFY(options.appearance == mirror::ui::ThemeChoice::Light);
    }

    void wrongWordsAreNamed_data() {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("named");
        QTest::newRow("unknown") << QStringList{"--wrong"} << "wrong";
        QTest::newRow("no value") << QStringList{"--model"} << "model";
        QTest::newRow("device") << QStringList{"--device", "tpu"} << "--device";
        QTest::newRow("device number") << QStringList{"--device", "cuda:x"} << "--device";
        QTest::newRow("precision") << QStringList{"--precision", "fp8"} << "--precision";
        QTest::newRow("appearance") << QStringList{"--appearance", "pink"} << "--appearance";
    }

    void wrongWordsAreNamed() {
        QFETCH(QStringList, words);
        QFETCH(QString, named);
        const auto read = readOptions(QStringList{"magic-mirror-studio"} + words);
        QVERIFY(!read.ok());
        QVERIFY2(QString::fromStdString(read.error().detail).contains(named), read.error().detail.c_str());
    }

    void helpAndVersionArePrinted() {
        QVERIFY(readOptions({"magic-mirror-studio", "--help"}).value().printed.contains("--model"));
        QVERIFY(!readOptions({"magic-mirror-studio", "--version"}).value().printed.isEmpty());
        QVERIFY(readOptions({"magic-mirror-studio"}).value().printed.isEmpty());
    }
};

QTEST_GUILESS_MAIN(OptionsTest)
#include "options_test.moc"
