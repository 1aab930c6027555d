#include "ui/people/photo_view.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>

#include "ui/style/ink.h"
#include "ui/style/theme.h"
#include "ui/widgets/frame_image.h"

namespace mirror::ui {

namespace {

constexpr double kCorner = 5;
constexpr double kFlattest = 0.45;  // Height over width of the view, between these whatever the photograph is.
constexpr double kTallest = 1.15;
constexpr double kLandmarkRadius = 3.2;   // Of a large face; smaller ones have smaller dots.
constexpr double kLandmarkShare = 0.055;  // Of the width of the box.

}  // namespace

PhotoView::PhotoView(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
}

void PhotoView::show(const SharedPhoto& photo, int face) {
    if (photo != photo_) scaled_ = {};
    photo_ = photo;
    face_ = face;
    setAccessibleName(describe());
    updateGeometry();
    update();
}

QString PhotoView::describe() const {
    if (!photo_) return tr("Reading the photograph");
    const int count = static_cast<int>(photo_->found.faces.size());
    if (count == 0) return tr("Photograph without a face");
    return tr("Photograph, face %1 of %2 chosen").arg(face_ + 1).arg(count);
}

int PhotoView::heightForWidth(int width) const {
    double aspect = 1;
    if (photo_ && photo_->found.width > 0) aspect = double(photo_->found.height) / photo_->found.width;
    return qRound(width * std::clamp(aspect, kFlattest, kTallest));
}

QSize PhotoView::sizeHint() const { return {276, heightForWidth(276)}; }

QRectF PhotoView::pictureRect() const {
    const QSizeF whole(photo_->found.width, photo_->found.height);
    QRectF picture(QPointF(), whole.scaled(size(), Qt::KeepAspectRatio));
    picture.moveCenter(QRectF(rect()).center());
    return picture;
}

QPointF PhotoView::viewFromPhoto(const QPointF& point) const {
    const QRectF picture = pictureRect();
    return {picture.x() + point.x() * picture.width() / photo_->found.width,
            picture.y() + point.y() * picture.height() / photo_->found.height};
}

QRectF PhotoView::boxRect(const FaceBox& face) const {
    return {viewFromPhoto({face.x0, face.y0}), viewFromPhoto({face.x1, face.y1})};
}

int PhotoView::faceAt(const QPointF& position) const {
    if (!photo_) return -1;
    const auto& faces = photo_->found.faces;
    const auto hit =
        std::find_if(faces.begin(), faces.end(), [&](const FaceBox& f) { return boxRect(f).contains(position); });
    return hit == faces.end() ? -1 : static_cast<int>(hit - faces.begin());
}

void PhotoView::mousePressEvent(QMouseEvent* event) {
    if (const int face = faceAt(event->position()); face >= 0 && face != face_) Q_EMIT faceChosen(face);
}

void PhotoView::mouseMoveEvent(QMouseEvent* event) {
    const bool choice = photo_ && photo_->found.faces.size() > 1 && faceAt(event->position()) >= 0;
    setCursor(choice ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

void PhotoView::keyPressEvent(QKeyEvent* event) {
    const int count = photo_ ? static_cast<int>(photo_->found.faces.size()) : 0;
    const int digit = event->key() - Qt::Key_1;
    int wanted = face_;
    if (digit >= 0 && digit < 9) wanted = digit;
    if (event->key() == Qt::Key_Left || event->key() == Qt::Key_Up) wanted = face_ - 1;
    if (event->key() == Qt::Key_Right || event->key() == Qt::Key_Down) wanted = face_ + 1;
    if (wanted == face_ || wanted < 0 || wanted >= count) return QWidget::keyPressEvent(event);
    Q_EMIT faceChosen(wanted);
}

void PhotoView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(labelFont());
    if (!photo_) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(ink(palette(), Ink::Field));
        painter.drawRoundedRect(rect(), kCorner, kCorner);
        painter.setPen(ink(palette(), Ink::Dim));
        painter.drawText(rect(), Qt::AlignCenter, tr("Looking for faces"));
        return;
    }
    drawPicture(painter);
    if (!photo_->found.faces.empty()) drawSquare(painter);
    for (int i = 0; i < static_cast<int>(photo_->found.faces.size()); ++i) {
        if (i != face_) drawFace(painter, i);
    }
    if (!photo_->found.faces.empty()) drawFace(painter, face_);
    if (hasFocus() && photo_->found.faces.size() > 1) {
        painter.setClipping(false);
        painter.setPen(ink(palette(), Ink::Accent));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(pictureRect().adjusted(0.5, 0.5, -0.5, -0.5), kCorner, kCorner);
    }
}

void PhotoView::drawPicture(QPainter& painter) {
    const QRectF picture = pictureRect();
    const double ratio = devicePixelRatioF();
    const QSize pixels = (picture.size() * ratio).toSize();
    if (scaled_.size() != pixels) {
        const QImage whole = imageOf(photo_->picture, photo_);
        scaled_ = QPixmap::fromImage(whole.scaled(pixels, Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
        scaled_.setDevicePixelRatio(ratio);
    }
    QPainterPath outline;
    outline.addRoundedRect(picture, kCorner, kCorner);
    painter.setClipPath(outline);
    painter.drawPixmap(picture.topLeft(), scaled_);
}

void PhotoView::drawSquare(QPainter& painter) const {
    const SquareRegion& square = photo_->squares[static_cast<std::size_t>(face_)];
    const QRectF outline(viewFromPhoto(QPointF(square.x, square.y)),
                         viewFromPhoto(QPointF(square.x + square.side, square.y + square.side)));
    QPen pen(QColor(0, 0, 0, 70), 1);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(pen);
    painter.drawRect(outline);
    pen.setColor(QColor(255, 255, 255, 235));
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    painter.drawRect(outline);
}

void PhotoView::drawFace(QPainter& painter, int face) const {
    const bool chosen = face == face_;
    const FaceBox& found = photo_->found.faces[static_cast<std::size_t>(face)];
    const QRectF box = boxRect(found);
    const QColor accent = ink(palette(), Ink::Accent);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(chosen ? accent : QColor(255, 255, 255, 190), chosen ? 1.6 : 1.2));
    painter.drawRoundedRect(box, 1.5, 1.5);
    const QString score = QLocale::c().toString(found.score, 'f', 2);
    const bool several = photo_->found.faces.size() > 1;
    if (!several) {
        drawTag(painter, box, score, true);
    } else {
        drawTag(painter, box, chosen ? tr("%1 · %2").arg(face + 1).arg(score) : QString::number(face + 1), chosen);
    }
    if (chosen) drawLandmarks(painter, found);
}

void PhotoView::drawLandmarks(QPainter& painter, const FaceBox& face) const {
    const double radius = std::clamp(boxRect(face).width() * kLandmarkShare, 1.2, kLandmarkRadius);
    painter.setPen(QPen(QColor(20, 22, 25), std::min(1.2, radius / 2)));
    painter.setBrush(Qt::white);
    for (const Point& point : face.landmarks) {
        painter.drawEllipse(viewFromPhoto({point.x, point.y}), radius, radius);
    }
}

void PhotoView::drawTag(QPainter& painter, const QRectF& box, const QString& text, bool chosen) const {
    QFont font = labelFont();
    font.setWeight(QFont::DemiBold);
    painter.setFont(font);
    const QSizeF size(QFontMetricsF(font).horizontalAdvance(text) + 10, QFontMetricsF(font).height() + 2);
    QRectF tag(QPointF(box.left(), box.top() - size.height() - 2), size);
    if (tag.top() < pictureRect().top()) tag.moveTop(box.top() + 2);
    painter.setPen(Qt::NoPen);
    painter.setBrush(chosen ? ink(palette(), Ink::Accent) : QColor(20, 22, 25, 200));
    painter.drawRoundedRect(tag, 3, 3);
    painter.setPen(chosen ? ink(palette(), Ink::OnAccent) : QColor(Qt::white));
    painter.drawText(tag, Qt::AlignCenter, text);
}

}  // namespace mirror::ui
