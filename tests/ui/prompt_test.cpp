// Which words of a prompt belong to the person.

#include <QTest>

#include "ui/shot/prompt_marks.h"
#include "ui/shot/shot_draft.h"

using namespace mirror::ui;

class PromptTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void marksTriggerAndClassWord_data() {
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("trigger");
        QTest::addColumn<QString>("word");
        QTest::addColumn<int>("flaw");
        const auto none = static_cast<int>(PromptFlaw::None);
        QTest::newRow("plain") << "a man img, smiling"
                               << "img"
                               << "man" << none;
        QTest::newRow("full stop") << "an elderly woman img."
                                   << "img"
                                   << "woman" << none;
        QTest::newRow("any word") << "a pilot img lands"
                                  << "img"
                                  << "pilot" << none;
        QTest::newRow("two spaces") << "a man  img"
                                    << "img"
                                    << "man" << none;
        QTest::newRow("line break") << "a man\nimg"
                                    << "img"
                                    << "man" << none;
        QTest::newRow("letters of other scripts")
            << QString::fromUtf8("une fée img") << "img" << QString::fromUtf8("fée") << none;
        QTest::newRow("inside a word") << "an imgur woman"
                                       << ""
                                       << "woman" << none;
        QTest::newRow("case of the trigger") << "a woman IMG"
                                             << ""
                                             << "woman" << none;
        QTest::newRow("no trigger, any case") << "A Lady walks, a man waits"
                                              << ""
                                              << "Lady" << none;
        QTest::newRow("nobody") << "a quiet sea"
                                << ""
                                << "" << static_cast<int>(PromptFlaw::NoClassWord);
        QTest::newRow("empty") << ""
                               << ""
                               << "" << static_cast<int>(PromptFlaw::NoClassWord);
        QTest::newRow("first") << "img smiles"
                               << "img"
                               << "" << static_cast<int>(PromptFlaw::TriggerWithoutClassWord);
        QTest::newRow("comma between") << "a man, img"
                                       << "img"
                                       << "" << static_cast<int>(PromptFlaw::TriggerWithoutClassWord);
        QTest::newRow("twice") << "a man img and a man img"
                               << "img"
                               << "man" << static_cast<int>(PromptFlaw::TwoTriggers);
    }

    void marksTriggerAndClassWord() {
        QFETCH(QString, prompt);
        QFETCH(QString, trigger);
        QFETCH(QString, word);
        QFETCH(int, flaw);
        const PromptMarks marks = markPrompt(prompt);
        const auto text = [&](const std::optional<TextSpan>& span) {
            return span ? prompt.mid(span->start, span->length) : QString();
        };
        QCOMPARE(text(marks.trigger), trigger);
        QCOMPARE(text(marks.classWord), word);
        QCOMPARE(static_cast<int>(marks.flaw), flaw);
    }

    void advisesOnlyWhereNobodyIsNamed() {
        QVERIFY(ShotRules::advice("A woman img smiles").isEmpty());
        QVERIFY(ShotRules::advice("").isEmpty());
        QVERIFY(ShotRules::advice("a quiet sea").contains("img"));
    }
};

QTEST_GUILESS_MAIN(PromptTest)
#include "prompt_test.moc"
