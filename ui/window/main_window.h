#pragma once

// The window: People, Viewer and Shot between a bar and a status line. It connects them; what they do is theirs.

#include <QMainWindow>
#include <QSettings>

#include "ui/ports/engine_client.h"
#include "ui/shot/shot_draft.h"
#include "ui/style/ink.h"

class QMenu;
class QSplitter;

namespace mirror::ui {

class ModelChoice;
class PeoplePanel;
class PhotoIntake;
class PhotoList;
class ShotPanel;
class StatusLine;
class TakeRunner;
class Theme;
class TopBar;
class ViewerPanel;

// Folders of the window's own files.
struct WindowFolders {
    QString takes;
    QString pasted;
};

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    // Everything handed in must outlive the window.
    MainWindow(EngineClient& client, Theme& theme, QSettings& settings, const WindowFolders& folders,
               const RunPlace& place);

    void openPhotos(const QStringList& files);
    void chooseModel(const QString& folder);
    void generate();
    void cancel();
    void saveTo(const QString& target);

    PeoplePanel& people() const { return *people_; }
    ViewerPanel& viewer() const { return *viewer_; }
    ShotPanel& shot() const { return *shot_; }
    StatusLine& status() const { return *status_; }
    TopBar& bar() const { return *bar_; }
    PhotoList& photos() const { return *photos_; }
    TakeRunner& takes() const { return *takes_; }

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void closeEvent(QCloseEvent* event) override;

private:
    void layOut();
    void addActions();
    void addThemeActions(QMenu& menu);
    QAction* addKey(QMenu& menu, const QString& text, const QList<QKeySequence>& keys, void (MainWindow::*act)());
    void connectPhotos();
    void connectTakes();
    void connectSaving();
    void restore();

    void askPhotos();
    void askModel();
    void askTarget();
    void pastePhoto();
    void showKeys();
    void toggleLoop();
    void toggleFullScreen();
    void toggleShade();

    void refreshShot();
    void refreshTake();
    void refreshProgress();
    void endWithoutClip(const QString& sentence, Ink meaning);
    QString takeState() const;

    EngineClient& client_;
    Theme& theme_;
    QSettings& settings_;
    RunPlace place_;
    PhotoList* photos_;
    PhotoIntake* intake_;
    ModelChoice* model_;
    TakeRunner* takes_;
    PeoplePanel* people_;
    ViewerPanel* viewer_;
    ShotPanel* shot_;
    TopBar* bar_;
    StatusLine* status_;
    QSplitter* columns_;
    std::optional<std::uint64_t> usedSeed_;  // Of the last take: the next one has another unless the seed is locked.
    QString savedAs_;                        // Where the clip that is shown was saved; empty if it was not.
};

}  // namespace mirror::ui
