#include "ui/viewer/frame_canvas.h"

#include <QPainter>

#include "ui/style/ink.h"
#include "ui/style/theme.h"
#include "ui/widgets/icon_button.h"

namespace mirror::ui {

namespace {

constexpr int kMargin = 8;
constexpr int kSign = 40;
constexpr int kAdviceWidth = 380;

}  // namespace

FrameCanvas::FrameCanvas(QWidget* parent) : QWidget(parent) {
    setAutoFillBackground(true);
    setBackgroundRole(roleOf(Ink::Ground));
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(240, 160);
    setAccessibleName(tr("Viewer"));
}

void FrameCanvas::show(const QImage& frame) {
    frame_ = frame;
    update();
}

void FrameCanvas::setInvitation(const QString& title, const QString& advice) {
    title_ = title;
    advice_ = advice;
    update();
}

QRect FrameCanvas::pictureRect() const {
    const QRect room = rect().adjusted(kMargin, kMargin, -kMargin, -kMargin);
    QRect picture(QPoint(), frame_.size().scaled(room.size(), Qt::KeepAspectRatio));
    picture.moveCenter(room.center());
    return picture;
}

void FrameCanvas::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (frame_.isNull()) return drawInvitation(painter);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    painter.drawImage(pictureRect(), frame_);
}

void FrameCanvas::drawInvitation(QPainter& painter) const {
    const QPoint centre = rect().center();
    painter.drawPixmap(centre.x() - kSign / 2, centre.y() - 74,
                       paintedSign(QStringLiteral("film"), kSign, ink(palette(), Ink::Faint), devicePixelRatioF()));
    QFont heading = textFont();
    heading.setWeight(QFont::DemiBold);
    painter.setFont(heading);
    painter.setPen(ink(palette(), Ink::Text));
    painter.drawText(QRect(centre.x() - kAdviceWidth / 2, centre.y() - 24, kAdviceWidth, 22), Qt::AlignCenter, title_);
    painter.setFont(textFont());
    painter.setPen(ink(palette(), Ink::Dim));
    painter.drawText(QRect(centre.x() - kAdviceWidth / 2, centre.y() + 4, kAdviceWidth, 60),
                     Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap, advice_);
}

}  // namespace mirror::ui
