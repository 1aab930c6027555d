#pragma once

// One surface for the forming picture and for the finished clip.

#include "ui/ports/engine_client.h"
#include "ui/widgets/panel.h"

class QKeyEvent;
class QPushButton;

namespace mirror::ui {

class FrameCanvas;
class FramePlayer;
class TransportBar;

class ViewerPanel : public Panel {
    Q_OBJECT

public:
    explicit ViewerPanel(QWidget* parent = nullptr);

    FramePlayer& player() const { return *player_; }
    FrameCanvas& canvas() const { return *canvas_; }
    TransportBar& transport() const { return *transport_; }
    QPushButton& cancelButton() const { return *cancel_; }

    // A newer preview of the same run goes on where the older one is.
    void showPreview(const SharedPreview& preview);
    void showClip(const SharedClip& clip);
    // What was there before a run that came to nothing: the last clip, or the invitation.
    void showLastClip();
    const SharedClip& clip() const { return clip_; }

    // "Take 3" and what is going on with it; an amber remark at the right.
    void setState(const QString& take, const QString& state, const QString& remark);
    // While a run can be stopped; `stoppable` false shows that it is stopping already.
    void offerCancel(bool offered, bool stoppable);
    // True if the key was one of the player's.
    bool handleKey(const QKeyEvent& event);

private:
    void refreshTransport();

    enum class Showing { Nothing, Preview, Clip };

    FramePlayer* player_;
    FrameCanvas* canvas_;
    QWidget* line_;
    TransportBar* transport_;
    QPushButton* cancel_;
    QLabel* state_;
    QLabel* remark_;
    SharedClip clip_;
    Showing showing_ = Showing::Nothing;
};

}  // namespace mirror::ui
