#pragma once

// The row of controls under the picture: frame slider, time and frame number, play, step, loop.

#include <QWidget>

class QHBoxLayout;
class QLabel;
class QSlider;

namespace mirror::ui {

class FramePlayer;
class IconButton;

class TransportBar : public QWidget {
    Q_OBJECT

public:
    explicit TransportBar(FramePlayer& player, QWidget* parent = nullptr);

    QSlider& slider() const { return *slider_; }
    // The right end of the lower row, for what belongs to the run.
    QHBoxLayout& corner() const { return *corner_; }
    void setLoops(bool loops);
    void togglePlay();

private:
    void makeButtons(QHBoxLayout& row);
    IconButton* addButton(QHBoxLayout& row, const QString& icon, const QString& name);
    void refreshFrames();
    void refreshPlace();

    FramePlayer& player_;
    QSlider* slider_;
    QLabel* count_;
    QLabel* time_;
    QLabel* place_;
    IconButton* play_ = nullptr;
    IconButton* loop_ = nullptr;
    QWidget* buttons_;
    QHBoxLayout* corner_;
};

// Minutes, seconds and frames: 00:01:04.
QString timecode(int frame, double framesPerSecond);

}  // namespace mirror::ui
