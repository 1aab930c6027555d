#include "ui/viewer/transport_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>
#include <cmath>

#include "ui/viewer/frame_player.h"
#include "ui/widgets/icon_button.h"
#include "ui/widgets/labels.h"

namespace mirror::ui {

namespace {

constexpr int kMargin = 16;

}  // namespace

QString timecode(int frame, double framesPerSecond) {
    const auto seconds = static_cast<int>(std::floor(frame / framesPerSecond));
    const auto rest = static_cast<int>(std::lround(frame - seconds * framesPerSecond));
    return QStringLiteral("%1:%2:%3")
        .arg(seconds / 60, 2, 10, QLatin1Char('0'))
        .arg(seconds % 60, 2, 10, QLatin1Char('0'))
        .arg(rest, 2, 10, QLatin1Char('0'));
}

TransportBar::TransportBar(FramePlayer& player, QWidget* parent)
    : QWidget(parent),
      player_(player),
      slider_(new QSlider(Qt::Horizontal)),
      count_(makeLabel({}, Ink::Dim, TextSize::Text)),
      time_(makeLabel({}, Ink::Text, TextSize::Text)),
      place_(makeLabel({}, Ink::Dim, TextSize::Text)),
      buttons_(new QWidget) {
    slider_->setAccessibleName(tr("Frame"));
    auto* upper = new QHBoxLayout;
    upper->setSpacing(10);
    upper->addWidget(makeLabel(tr("frame"), Ink::Dim, TextSize::Text));
    upper->addWidget(slider_, 1);
    count_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    upper->addWidget(count_);

    auto* left = new QHBoxLayout;
    left->setSpacing(8);
    left->addWidget(time_);
    left->addWidget(place_);
    left->addStretch();
    auto* middle = new QHBoxLayout(buttons_);
    makeButtons(*middle);
    corner_ = new QHBoxLayout;
    corner_->addStretch();
    auto* lower = new QHBoxLayout;
    lower->addLayout(left, 1);
    lower->addWidget(buttons_);
    lower->addLayout(corner_, 1);

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(kMargin, 8, kMargin, 10);
    column->setSpacing(4);
    column->addLayout(upper);
    column->addLayout(lower);

    connect(slider_, &QSlider::valueChanged, &player_, [this](int frame) { player_.seek(frame); });
    connect(&player_, &FramePlayer::framesChanged, this, [this] { refreshFrames(); });
    connect(&player_, &FramePlayer::frameChanged, this, [this] { refreshPlace(); });
    connect(&player_, &FramePlayer::playingChanged, this, [this](bool playing) {
        play_->setSign(playing ? QStringLiteral("pause") : QStringLiteral("play"), playing ? tr("Pause") : tr("Play"));
    });
    refreshFrames();
}

IconButton* TransportBar::addButton(QHBoxLayout& row, const QString& icon, const QString& name) {
    auto* button = new IconButton(icon, name);
    row.addWidget(button);
    return button;
}

void TransportBar::makeButtons(QHBoxLayout& row) {
    row.setContentsMargins(0, 0, 0, 0);
    row.setSpacing(6);
    const auto go = [&](const QString& icon, const QString& name, auto act) {
        connect(addButton(row, icon, name), &IconButton::clicked, &player_, act);
    };
    go(QStringLiteral("first"), tr("First frame (Home)"), [this] { player_.seek(0); });
    go(QStringLiteral("previous"), tr("Frame back (Left)"), [this] { player_.step(-1); });
    play_ = addButton(row, QStringLiteral("play"), tr("Play"));
    play_->setSignSize(18);
    play_->setSignInk(Ink::Text);
    connect(play_, &IconButton::clicked, this, &TransportBar::togglePlay);
    go(QStringLiteral("next"), tr("Frame forward (Right)"), [this] { player_.step(1); });
    go(QStringLiteral("last"), tr("Last frame (End)"), [this] { player_.seek(player_.count() - 1); });
    loop_ = addButton(row, QStringLiteral("loop"), tr("Loop (Ctrl+L)"));
    loop_->setCheckable(true);
    loop_->setChecked(true);
    connect(loop_, &IconButton::toggled, &player_, &FramePlayer::setLoops);
}

void TransportBar::setLoops(bool loops) { loop_->setChecked(loops); }

void TransportBar::togglePlay() { player_.isPlaying() ? player_.pause() : player_.play(); }

void TransportBar::refreshFrames() {
    const bool some = player_.count() > 0;
    {
        const QSignalBlocker quiet(slider_);
        slider_->setRange(0, std::max(0, player_.count() - 1));
    }
    slider_->setEnabled(player_.count() > 1);
    // As wide as its widest text, so that the slider keeps its length while the clip plays.
    const QString widest = tr("%1 / %2").arg(player_.count()).arg(player_.count());
    count_->setMinimumWidth(count_->fontMetrics().horizontalAdvance(widest) + 1);
    buttons_->setEnabled(some);
    refreshPlace();
}

void TransportBar::refreshPlace() {
    const int frame = player_.index();
    const bool some = player_.count() > 0;
    {
        const QSignalBlocker quiet(slider_);
        slider_->setValue(frame);
    }
    count_->setText(some ? tr("%1 / %2").arg(frame + 1).arg(player_.count()) : QString());
    time_->setText(some ? timecode(frame, player_.framesPerSecond()) : QString());
    const QString rate = QLocale::c().toString(player_.framesPerSecond(), 'g', 3);
    place_->setText(some ? tr("frame %1 of %2 · %3 fps").arg(frame + 1).arg(player_.count()).arg(rate) : QString());
}

}  // namespace mirror::ui
