#pragma once

// Plays a sequence of pictures in a loop at its own speed. Knows no widget; the clock is the wall's, so a late timer
// skips pictures.

#include <QElapsedTimer>
#include <QImage>
#include <QObject>
#include <QTimer>
#include <vector>

namespace mirror::ui {

enum class Playback { Restart, KeepPlace };

class FramePlayer : public QObject {
    Q_OBJECT

public:
    explicit FramePlayer(QObject* parent = nullptr);

    // KeepPlace goes on at the same moment of the loop: a newer preview replaces an older one without a jump.
    void setFrames(std::vector<QImage> frames, double framesPerSecond, Playback playback);
    void clear() { setFrames({}, 1, Playback::Restart); }

    int count() const { return static_cast<int>(frames_.size()); }
    int index() const { return index_; }
    double framesPerSecond() const { return framesPerSecond_; }
    bool isPlaying() const { return timer_.isActive(); }
    bool loops() const { return loops_; }
    QImage frame() const;

    void play();
    void pause();
    void setLoops(bool loops) { loops_ = loops; }
    // Both pause. Stepping wraps around.
    void seek(int index);
    void step(int frames);

Q_SIGNALS:
    void frameChanged(int index);
    void playingChanged(bool playing);
    void framesChanged();

private:
    void tick();
    void startClock();
    void move(int index);

    std::vector<QImage> frames_;
    double framesPerSecond_ = 1;
    int index_ = 0;
    bool loops_ = true;
    QTimer timer_;
    QElapsedTimer clock_;
    double clockOffset_ = 0;  // Frames that lay behind when the clock was started.
};

}  // namespace mirror::ui
