// The menu, the keys and the dialogues of the window.

#include <QAction>
#include <QActionGroup>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenu>
#include <QPushButton>
#include <QStandardPaths>

#include "ui/people/people_panel.h"
#include "ui/people/photo_intake.h"
#include "ui/shot/model_choice.h"
#include "ui/style/theme.h"
#include "ui/viewer/frame_player.h"
#include "ui/viewer/transport_bar.h"
#include "ui/viewer/viewer_panel.h"
#include "ui/widgets/icon_button.h"
#include "ui/window/key_sheet.h"
#include "ui/window/main_window.h"
#include "ui/window/top_bar.h"

namespace mirror::ui {

QAction* MainWindow::addKey(QMenu& menu, const QString& text, const QList<QKeySequence>& keys,
                            void (MainWindow::*act)()) {
    QAction* action = menu.addAction(text);
    action->setShortcuts(keys);
    connect(action, &QAction::triggered, this, act);
    addAction(action);  // The shortcut belongs to the window, not to the closed menu.
    return action;
}

void MainWindow::addActions() {
    auto* menu = new QMenu(this);
    addKey(*menu, tr("Open photographs…"), {QKeySequence::Open}, &MainWindow::askPhotos);
    addKey(*menu, tr("Paste photograph"), {QKeySequence::Paste}, &MainWindow::pastePhoto);
    addKey(*menu, tr("Choose model folder…"), {}, &MainWindow::askModel);
    menu->addSeparator();
    addKey(*menu, tr("Generate"), {QKeySequence(Qt::CTRL | Qt::Key_Return), QKeySequence(Qt::CTRL | Qt::Key_Enter)},
           &MainWindow::generate);
    addKey(*menu, tr("Cancel"), {QKeySequence(Qt::Key_Escape)}, &MainWindow::cancel);
    addKey(*menu, tr("Save clip…"), {QKeySequence::Save}, &MainWindow::askTarget);
    menu->addSeparator();
    addKey(*menu, tr("Loop"), {QKeySequence(Qt::CTRL | Qt::Key_L)}, &MainWindow::toggleLoop);
    addKey(*menu, tr("Full screen"), {QKeySequence(Qt::Key_F11)}, &MainWindow::toggleFullScreen);
    addThemeActions(*menu->addMenu(tr("Appearance")));
    addKey(*menu, tr("Keys"), {QKeySequence(Qt::Key_F1)}, &MainWindow::showKeys);
    menu->addSeparator();
    QAction* quit = menu->addAction(tr("Quit"));
    quit->setShortcut(QKeySequence::Quit);
    connect(quit, &QAction::triggered, this, &QWidget::close);
    addAction(quit);
    connect(&bar_->menuButton(), &IconButton::clicked, this, [this, menu] {
        const QWidget& button = bar_->menuButton();
        menu->popup(button.mapToGlobal(QPoint(button.width() - menu->sizeHint().width(), button.height() + 2)));
    });
}

void MainWindow::addThemeActions(QMenu& menu) {
    auto* group = new QActionGroup(this);
    const std::pair<QString, ThemeChoice> choices[] = {
        {tr("As the system"), ThemeChoice::System}, {tr("Dark"), ThemeChoice::Dark}, {tr("Light"), ThemeChoice::Light}};
    for (const auto& [text, choice] : choices) {
        QAction* action = group->addAction(menu.addAction(text));
        action->setCheckable(true);
        action->setChecked(theme_.choice() == choice);
        connect(action, &QAction::triggered, this, [this, choice = choice] { theme_.choose(choice); });
        connect(&theme_, &Theme::changed, action,
                [this, action, choice = choice] { action->setChecked(theme_.choice() == choice); });
    }
    connect(&theme_, &Theme::changed, this,
            [this] { settings_.setValue(QStringLiteral("appearance"), static_cast<int>(theme_.choice())); });
    menu.addSeparator();
    addKey(menu, tr("Switch dark and light"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T)},
           &MainWindow::toggleShade);
}

void MainWindow::askPhotos() {
    auto* dialog = new QFileDialog(this, tr("Open photographs"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    dialog->setNameFilters({tr("Photographs (*.jpg *.jpeg *.png *.webp *.bmp *.tif *.tiff)"), tr("All files (*)")});
    dialog->setDirectory(
        settings_
            .value(QStringLiteral("folders/photos"), QStandardPaths::writableLocation(QStandardPaths::PicturesLocation))
            .toString());
    connect(dialog, &QFileDialog::filesSelected, this, [this](const QStringList& files) {
        settings_.setValue(QStringLiteral("folders/photos"), QFileInfo(files.front()).absolutePath());
        openPhotos(files);
    });
    dialog->open();
}

void MainWindow::askModel() {
    auto* dialog = new QFileDialog(this, tr("Choose a model folder"), model_->folder());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::chooseModel);
    dialog->open();
}

void MainWindow::askTarget() {
    if (!viewer_->clip()) return;
    auto* dialog = new QFileDialog(this, tr("Save the clip"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("mp4"));
    dialog->setNameFilter(tr("Video (*.mp4)"));
    dialog->setDirectory(
        settings_
            .value(QStringLiteral("folders/clips"), QStandardPaths::writableLocation(QStandardPaths::MoviesLocation))
            .toString());
    dialog->selectFile(QFileInfo(viewer_->clip()->file).fileName());
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& target) {
        settings_.setValue(QStringLiteral("folders/clips"), QFileInfo(target).absolutePath());
        saveTo(target);
    });
    dialog->open();
}

void MainWindow::pastePhoto() {
    if (const QMimeData* mime = QGuiApplication::clipboard()->mimeData()) intake_->take(*mime);
}

void MainWindow::showKeys() {
    auto* sheet = new KeySheet(this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->open();
}

void MainWindow::toggleLoop() { viewer_->transport().setLoops(!viewer_->player().loops()); }

void MainWindow::toggleFullScreen() { setWindowState(windowState() ^ Qt::WindowFullScreen); }

void MainWindow::toggleShade() {
    theme_.choose(theme_.shade() == Shade::Dark ? ThemeChoice::Light : ThemeChoice::Dark);
}

}  // namespace mirror::ui
