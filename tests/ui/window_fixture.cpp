#include "tests/ui/window_fixture.h"

#include "ui/shot/prompt_edit.h"
#include "ui/shot/shot_panel.h"

namespace mirror::ui {

WindowFixture::WindowFixture()
    : settings(folder.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat),
      theme(*static_cast<QApplication*>(QCoreApplication::instance()), ThemeChoice::Dark),
      window(client, theme, settings,
             {folder.filePath(QStringLiteral("takes")), folder.filePath(QStringLiteral("pasted"))}, {}) {}

void WindowFixture::makeReady() {
    window.chooseModel(folder.path());
    ModelCard card;
    card.hasAdapter = true;
    client.answerModel(card);
    window.openPhotos({folder.filePath(QStringLiteral("a.jpg"))});
    client.answerPhoto(photoWithFaces(1));
    window.shot().prompt().setPlainText(QStringLiteral("A woman img smiles"));
}

void WindowFixture::startTake() {
    makeReady();
    window.generate();
    client.begin();
}

void WindowFixture::finishTake(const QColor& color, bool randomWeights) {
    startTake();
    client.finish(randomWeights);
    client.answerClip(clipOf(color, 17, client.target));
}

}  // namespace mirror::ui
