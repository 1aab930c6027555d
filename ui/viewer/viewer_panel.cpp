#include "ui/viewer/viewer_panel.h"

#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>

#include "ui/viewer/frame_canvas.h"
#include "ui/viewer/frame_player.h"
#include "ui/viewer/transport_bar.h"
#include "ui/widgets/frame_image.h"
#include "ui/widgets/labels.h"

namespace mirror::ui {

namespace {

std::vector<QImage> imagesOf(const std::vector<Frame>& frames, const std::shared_ptr<const void>& owner) {
    std::vector<QImage> images;
    images.reserve(frames.size());
    for (const Frame& frame : frames) images.push_back(imageOf(frame, owner));
    return images;
}

}  // namespace

ViewerPanel::ViewerPanel(QWidget* parent)
    : Panel(tr("Viewer"), parent),
      player_(new FramePlayer(this)),
      canvas_(new FrameCanvas),
      line_(new HairLine(Ink::Line)),
      transport_(new TransportBar(*player_)),
      cancel_(new QPushButton(tr("Cancel  Esc"))),
      state_(makeLabel({}, Ink::Dim)),
      remark_(makeLabel({}, Ink::Warn)) {
    header().addWidget(state_);
    header().addStretch();
    header().addWidget(remark_);
    header().addSpacing(6);  // To the margin of text; the header's own is that of its buttons.
    body().addWidget(canvas_, 1);
    body().addWidget(line_);
    body().addWidget(transport_);
    cancel_->setVisible(false);
    transport_->corner().addWidget(cancel_);
    canvas_->setInvitation(tr("The clip plays here"),
                           tr("Add a photograph on the left, describe the shot on the right, and press Generate. "
                              "The picture is shown while it forms."));
    connect(player_, &FramePlayer::frameChanged, this, [this] { canvas_->show(player_->frame()); });
    connect(player_, &FramePlayer::framesChanged, this, &ViewerPanel::refreshTransport);
    refreshTransport();
}

void ViewerPanel::offerCancel(bool offered, bool stoppable) {
    cancel_->setVisible(offered);
    cancel_->setEnabled(stoppable);
    refreshTransport();
}

void ViewerPanel::refreshTransport() {
    const bool wanted = player_->count() > 0 || !cancel_->isHidden();
    line_->setVisible(wanted);
    transport_->setVisible(wanted);
}

void ViewerPanel::showPreview(const SharedPreview& preview) {
    if (!preview || preview->frames.empty()) return;
    const Playback playback = showing_ == Showing::Preview ? Playback::KeepPlace : Playback::Restart;
    showing_ = Showing::Preview;
    player_->setFrames(imagesOf(preview->frames, preview), preview->frames_per_second, playback);
}

void ViewerPanel::showClip(const SharedClip& clip) {
    clip_ = clip;
    showLastClip();
}

void ViewerPanel::showLastClip() {
    if (!clip_) {
        showing_ = Showing::Nothing;
        return player_->clear();
    }
    showing_ = Showing::Clip;
    player_->setFrames(imagesOf(clip_->frames, clip_), double(clip_->rate.numerator) / clip_->rate.denominator,
                       Playback::Restart);
}

void ViewerPanel::setState(const QString& take, const QString& state, const QString& remark) {
    title().setText(take);
    state_->setText(state.isEmpty() ? QString() : tr("· %1").arg(state));
    remark_->setText(remark);
}

bool ViewerPanel::handleKey(const QKeyEvent& event) {
    if (player_->count() == 0 || event.modifiers() & ~(Qt::ShiftModifier | Qt::KeypadModifier)) return false;
    const int stride = event.modifiers() & Qt::ShiftModifier ? qRound(player_->framesPerSecond()) : 1;
    switch (event.key()) {
        case Qt::Key_Space:
            transport_->togglePlay();
            return true;
        case Qt::Key_Left:
            player_->step(-stride);
            return true;
        case Qt::Key_Right:
            player_->step(stride);
            return true;
        case Qt::Key_Home:
            player_->seek(0);
            return true;
        case Qt::Key_End:
            player_->seek(player_->count() - 1);
            return true;
        default:
            return false;
    }
}

}  // namespace mirror::ui
