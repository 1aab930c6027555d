#include "ui/window/status_line.h"

#include <QHBoxLayout>
#include <QProgressBar>

#include "ui/style/theme.h"
#include "ui/widgets/labels.h"

namespace mirror::ui {

namespace {

constexpr int kHeight = 26;
constexpr int kBarWidth = 560;
constexpr int kBarParts = 1000;

}  // namespace

StatusLine::StatusLine(QWidget* parent)
    : QWidget(parent),
      sentence_(new ElidedLabel(Qt::ElideRight)),
      bar_(new QProgressBar),
      left_(makeLabel({}, Ink::Dim, TextSize::Text)) {
    setFixedHeight(kHeight);
    setAutoFillBackground(true);
    sentence_->setFont(textFont());
    bar_->setTextVisible(false);
    bar_->setRange(0, kBarParts);
    bar_->setMaximumWidth(kBarWidth);
    bar_->setAccessibleName(tr("Progress"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 0, 12, 0);
    row->setSpacing(14);
    row->addWidget(sentence_);
    row->addWidget(bar_, 1);
    row->addWidget(left_);
    row->addStretch(1);
    row->addWidget(makeLabel(tr("F1 keys"), Ink::Dim, TextSize::Text));
    showMessage({}, Ink::Dim);
}

void StatusLine::showRun(const QString& sentence, double fraction, const QString& timeLeft) {
    sentence_->setText(sentence);
    setInk(*sentence_, Ink::Accent);
    bar_->setVisible(true);
    bar_->setValue(fraction < 0 ? 0 : qRound(fraction * kBarParts));
    left_->setText(timeLeft);
}

void StatusLine::showMessage(const QString& sentence, Ink meaning) {
    sentence_->setText(sentence);
    setInk(*sentence_, meaning);
    bar_->setVisible(false);
    left_->clear();
}

QString StatusLine::sentence() const { return sentence_->text(); }
QString StatusLine::timeLeft() const { return left_->text(); }
bool StatusLine::showsRun() const { return !bar_->isHidden(); }

}  // namespace mirror::ui
