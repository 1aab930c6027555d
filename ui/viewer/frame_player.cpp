#include "ui/viewer/frame_player.h"

#include <algorithm>
#include <cmath>

namespace mirror::ui {

namespace {

constexpr double kSlowestRate = 0.1;
constexpr int kShortestTick = 4;  // Milliseconds.

}  // namespace

FramePlayer::FramePlayer(QObject* parent) : QObject(parent) {
    timer_.setTimerType(Qt::PreciseTimer);
    connect(&timer_, &QTimer::timeout, this, [this] { tick(); });
}

void FramePlayer::setFrames(std::vector<QImage> frames, double framesPerSecond, Playback playback) {
    const bool keep = playback == Playback::KeepPlace && !frames_.empty() && !frames.empty();
    const double place = keep ? double(index_) / count() : 0;
    const bool same = keep && frames.size() == frames_.size() && framesPerSecond == framesPerSecond_;
    const bool wasPlaying = isPlaying();
    frames_ = std::move(frames);
    framesPerSecond_ = std::max(kSlowestRate, framesPerSecond);
    if (!same) index_ = std::min(static_cast<int>(place * count()), std::max(0, count() - 1));
    Q_EMIT framesChanged();
    Q_EMIT frameChanged(index_);
    if (frames_.empty()) return pause();
    if (!keep) return play();
    if (!same && wasPlaying) startClock();
}

QImage FramePlayer::frame() const { return frames_.empty() ? QImage() : frames_[static_cast<std::size_t>(index_)]; }

void FramePlayer::startClock() {
    clockOffset_ = index_;
    clock_.start();
    timer_.start(std::max(kShortestTick, static_cast<int>(250 / framesPerSecond_)));  // Four looks a frame.
}

void FramePlayer::play() {
    if (frames_.empty()) return;
    if (!loops_ && index_ == count() - 1) move(0);
    startClock();
    Q_EMIT playingChanged(true);
}

void FramePlayer::pause() {
    if (!isPlaying()) return;
    timer_.stop();
    Q_EMIT playingChanged(false);
}

void FramePlayer::move(int index) {
    if (index == index_) return;
    index_ = index;
    Q_EMIT frameChanged(index_);
}

void FramePlayer::seek(int index) {
    pause();
    if (!frames_.empty()) move(std::clamp(index, 0, count() - 1));
}

void FramePlayer::step(int frames) {
    pause();
    if (frames_.empty()) return;
    move(((index_ + frames) % count() + count()) % count());
}

void FramePlayer::tick() {
    const double behind = clockOffset_ + clock_.nsecsElapsed() * 1e-9 * framesPerSecond_;
    const auto due = static_cast<qint64>(std::floor(behind));
    if (!loops_ && due >= count()) {
        move(count() - 1);
        return pause();
    }
    move(static_cast<int>(due % count()));
}

}  // namespace mirror::ui
