// The words after magic-mirror-studio.

#include <QProcess>
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

    void whatIsNamedIsEscaped() {
        for (const QStringList& words : {QStringList{"--device", "a\nb\x1b[31m"}, QStringList{"--wrong\x1b[31m"}}) {
            const auto read = readOptions(QStringList{"magic-mirror-studio"} + words);
            QVERIFY(!read.ok());
            QVERIFY(read.error().detail.find('\x1b') == std::string::npos);
            QVERIFY(read.error().detail.find('\n') == std::string::npos);
        }
    }

    void qtsOwnOptionsArePassedOver() {
        const auto read = readOptions(
            {"magic-mirror-studio", "-platform", "offscreen", "--style=fusion", "-reverse", "--model", "/m", "a.jpg"});
        QVERIFY2(read.ok(), read.ok() ? "" : read.error().detail.c_str());
        QCOMPARE(read.value().model, QString("/m"));
        QCOMPARE(read.value().photos, QStringList({"a.jpg"}));
    }

    // With a platform that there is not, as without a display.
    void noDisplayIsNeededToBeToldOff() {
        const std::vector<std::pair<QStringList, int>> calls{{{"--version"}, 0}, {{"--help"}, 0}, {{"--wrong"}, 2}};
        for (const auto& [words, code] : calls) {
            QProcess program;
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert("QT_QPA_PLATFORM", "none-such");
            program.setProcessEnvironment(environment);
            program.start(MIRROR_STUDIO, words);
            QVERIFY(program.waitForFinished());
            QCOMPARE(program.exitStatus(), QProcess::NormalExit);
            QCOMPARE(program.exitCode(), code);
        }
    }

    void helpAndVersionArePrinted() {
        QVERIFY(readOptions({"magic-mirror-studio", "--help"}).value().printed.contains("--model"));
        QVERIFY(!readOptions({"magic-mirror-studio", "--version"}).value().printed.isEmpty());
        QVERIFY(readOptions({"magic-mirror-studio"}).value().printed.isEmpty());
    }
};

QTEST_GUILESS_MAIN(OptionsTest)
#include "options_test.moc"
