#include "ui/window/main_window.h"

#include <QAction>
#include <QCloseEvent>
#include <QFileInfo>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

#include "ui/people/people_panel.h"
#include "ui/people/photo_intake.h"
#include "ui/people/photo_list.h"
#include "ui/shot/model_choice.h"
#include "ui/shot/prompt_edit.h"
#include "ui/shot/seed_field.h"
#include "ui/shot/shot_panel.h"
#include "ui/take/take_runner.h"
#include "ui/viewer/viewer_panel.h"
#include "ui/widgets/labels.h"
#include "ui/window/status_line.h"
#include "ui/window/top_bar.h"

namespace mirror::ui {

namespace {

constexpr int kPeopleWidth = 300;
constexpr int kShotWidth = 348;
constexpr QSize kFirstSize{1600, 1000};

}  // namespace

MainWindow::MainWindow(EngineClient& client, Theme& theme, QSettings& settings, const WindowFolders& folders,
                       const RunPlace& place)
    : client_(client),
      theme_(theme),
      settings_(settings),
      place_(place),
      photos_(new PhotoList(client, this)),
      intake_(new PhotoIntake(folders.pasted, this)),
      model_(new ModelChoice(client, this)),
      takes_(new TakeRunner(client, folders.takes, this)),
      people_(new PeoplePanel(*photos_)),
      viewer_(new ViewerPanel),
      shot_(new ShotPanel(*model_)),
      bar_(new TopBar),
      status_(new StatusLine),
      columns_(new QSplitter(Qt::Horizontal)) {
    setWindowTitle(tr("Magic Mirror Studio"));
    setAcceptDrops(true);
    layOut();
    addActions();
    connectPhotos();
    connectTakes();
    connectSaving();
    restore();
    refreshTake();
    refreshShot();
    shot_->prompt().setFocus();
}

void MainWindow::layOut() {
    columns_->setHandleWidth(1);
    columns_->setChildrenCollapsible(false);
    columns_->addWidget(people_);
    columns_->addWidget(viewer_);
    columns_->addWidget(shot_);
    people_->setMinimumWidth(220);
    shot_->setMinimumWidth(320);
    columns_->setStretchFactor(1, 1);
    columns_->setSizes({kPeopleWidth, kFirstSize.width() - kPeopleWidth - kShotWidth - 2, kShotWidth});

    auto* whole = new QWidget;
    auto* column = new QVBoxLayout(whole);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar_);
    column->addWidget(new HairLine(Ink::Gap));
    column->addWidget(columns_, 1);
    column->addWidget(new HairLine(Ink::Gap));
    column->addWidget(status_);
    setCentralWidget(whole);
    resize(kFirstSize);
}

void MainWindow::connectPhotos() {
    connect(people_, &PeoplePanel::photosWanted, this, &MainWindow::askPhotos);
    connect(intake_, &PhotoIntake::arrived, this, &MainWindow::openPhotos);
    connect(intake_, &PhotoIntake::refused, people_, &PeoplePanel::addMessage);
    connect(photos_, &PhotoList::changed, this, &MainWindow::refreshShot);
    connect(shot_, &ShotPanel::changed, this, &MainWindow::refreshShot);
    connect(shot_, &ShotPanel::modelWanted, this, &MainWindow::askModel);
    connect(shot_, &ShotPanel::generateWanted, this, &MainWindow::generate);
}

void MainWindow::connectTakes() {
    connect(&viewer_->cancelButton(), &QPushButton::clicked, this, &MainWindow::cancel);
    connect(takes_, &TakeRunner::changed, this, [this] {
        refreshTake();
        refreshShot();
    });
    connect(takes_, &TakeRunner::progressed, this, &MainWindow::refreshProgress);
    connect(takes_, &TakeRunner::previewArrived, viewer_, &ViewerPanel::showPreview);
    connect(takes_, &TakeRunner::noticed, people_, &PeoplePanel::addMessage);
    connect(takes_, &TakeRunner::clipArrived, this, [this](const SharedClip& clip) {
        savedAs_.clear();
        viewer_->showClip(clip);
        refreshTake();
        status_->showMessage(tr("Take %1 is ready after %2 s.")
                                 .arg(takes_->number())
                                 .arg(takes_->report()->seconds, 0, 'f', takes_->report()->seconds < 10 ? 1 : 0),
                             Ink::Ok);
    });
    connect(takes_, &TakeRunner::cancelled, this, [this] { endWithoutClip(tr("The take was cancelled."), Ink::Dim); });
    connect(takes_, &TakeRunner::failed, this, [this](const QString& why) { endWithoutClip(why, Ink::Error); });
}

void MainWindow::connectSaving() {
    connect(&bar_->saveButton(), &QPushButton::clicked, this, &MainWindow::askTarget);
    connect(&client_, &EngineClient::clipSaved, this, [this](const QString& file, const QString& target) {
        if (viewer_->clip() && viewer_->clip()->file == file) savedAs_ = target;
        refreshTake();
        if (!takes_->isBusy()) status_->showMessage(tr("Saved as %1.").arg(target), Ink::Ok);
    });
    connect(&client_, &EngineClient::clipNotSaved, this, [this](const QString&, const Error& error) {
        status_->showMessage(QString::fromStdString(error.detail), Ink::Error);
    });
}

void MainWindow::openPhotos(const QStringList& files) {
    people_->clearMessages();
    photos_->add(files);
}

void MainWindow::chooseModel(const QString& folder) {
    model_->choose(folder);
    settings_.setValue(QStringLiteral("model"), model_->folder());
}

void MainWindow::generate() {
    shot_->seed().commit();
    if (takes_->isBusy() || !ShotRules::objection(shot_->draft(), *model_, *photos_).isEmpty()) return;
    people_->clearMessages();
    if (!shot_->seed().isLocked() && shot_->seed().seed() == usedSeed_) shot_->seed().roll();
    const ShotDraft draft = shot_->draft();
    usedSeed_ = draft.seed;
    takes_->start(requestOf(draft, *model_, *photos_, place_));
}

void MainWindow::cancel() { takes_->cancel(); }

void MainWindow::saveTo(const QString& target) {
    if (viewer_->clip()) client_.saveClip(viewer_->clip()->file, target);
}

void MainWindow::refreshShot() {
    shot_->setObjection(takes_->isBusy() ? tr("A take is being made.")
                                         : ShotRules::objection(shot_->draft(), *model_, *photos_));
    const QString device = QString::fromStdString(place_.device).toUpper();
    bar_->setPlace(device, model_->card() ? model_->card()->name : QString());
}

QString MainWindow::takeState() const {
    switch (takes_->stage()) {
        case TakeRunner::Stage::Idle:
            return viewer_->clip() ? tr("finished") : QString();
        case TakeRunner::Stage::Waiting:
            return tr("waiting");
        case TakeRunner::Stage::Cancelling:
            return tr("stopping after this step");
        case TakeRunner::Stage::Opening:
            return tr("opening the clip");
        case TakeRunner::Stage::Running:
            break;
    }
    const auto& progress = takes_->progress();
    if (!progress || progress->stage != Stage::Denoise || progress->steps == 0) return tr("forming");
    return tr("forming, step %1 of %2").arg(progress->step).arg(progress->steps);
}

void MainWindow::refreshTake() {
    const bool busy = takes_->isBusy();
    const bool stoppable =
        takes_->stage() == TakeRunner::Stage::Waiting || takes_->stage() == TakeRunner::Stage::Running;
    const bool noise = !busy && viewer_->clip() && takes_->report() && takes_->report()->randomWeights;
    viewer_->setState(busy || viewer_->clip() ? tr("Take %1").arg(takes_->number()) : tr("Viewer"), takeState(),
                      noise ? tr("Random weights: this picture is noise") : QString());
    viewer_->offerCancel(busy, stoppable);
    bar_->saveButton().setEnabled(viewer_->clip() != nullptr);
    if (viewer_->clip()) {
        bar_->setTake(savedAs_.isEmpty() ? tr("clip not saved yet")
                                         : tr("saved as %1").arg(QFileInfo(savedAs_).fileName()));
    }
    if (busy) refreshProgress();
}

void MainWindow::refreshProgress() {
    const auto& progress = takes_->progress();
    if (takes_->stage() == TakeRunner::Stage::Cancelling)
        return status_->showRun(tr("Stopping after this step"), -1, {});
    if (takes_->stage() == TakeRunner::Stage::Opening) return status_->showRun(tr("Opening the clip"), 1, {});
    if (!progress) return status_->showRun(tr("Waiting for the engine"), -1, {});
    const double fraction = progress->steps > 0 ? double(progress->step) / progress->steps : -1;
    status_->showRun(sentenceOf(*progress), fraction, timeLeft(progress->seconds_left));
    viewer_->setState(tr("Take %1").arg(takes_->number()), takeState(), {});
}

void MainWindow::endWithoutClip(const QString& sentence, Ink meaning) {
    viewer_->showLastClip();
    refreshTake();
    status_->showMessage(sentence, meaning);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!PhotoIntake::canTake(*event->mimeData())) return;
    event->acceptProposedAction();
    people_->setDropOffered(true);
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent*) { people_->setDropOffered(false); }

void MainWindow::dropEvent(QDropEvent* event) {
    people_->setDropOffered(false);
    if (!PhotoIntake::canTake(*event->mimeData())) return;
    event->acceptProposedAction();
    intake_->take(*event->mimeData());
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    if (!viewer_->handleKey(*event)) QMainWindow::keyPressEvent(event);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (takes_->isBusy() && takes_->stage() != TakeRunner::Stage::Opening &&
        QMessageBox::question(this, windowTitle(), tr("A take is being made. Stop it and close?")) !=
            QMessageBox::Yes) {
        return event->ignore();
    }
    settings_.setValue(QStringLiteral("window/geometry"), saveGeometry());
    settings_.setValue(QStringLiteral("window/columns"), columns_->saveState());
    takes_->cancel();
    event->accept();
}

void MainWindow::restore() {
    restoreGeometry(settings_.value(QStringLiteral("window/geometry")).toByteArray());
    columns_->restoreState(settings_.value(QStringLiteral("window/columns")).toByteArray());
}

}  // namespace mirror::ui
