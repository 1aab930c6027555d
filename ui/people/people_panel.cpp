#include "ui/people/people_panel.h"

#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedLayout>

#include "engine/core/limits.h"
#include "ui/people/model_view.h"
#include "ui/people/photo_strip.h"
#include "ui/people/photo_view.h"
#include "ui/widgets/frame_image.h"
#include "ui/widgets/icon_button.h"
#include "ui/widgets/labels.h"

namespace mirror::ui {

namespace {

constexpr int kMargin = 12;
constexpr int kAvatar = 36;

QPixmap avatarOf(const PhotoEntry& entry, const QColor& ring, double ratio) {
    QPixmap pixmap(QSize(kAvatar, kAvatar) * ratio);
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::SmoothPixmapTransform);
    const QRectF circle(2, 2, kAvatar - 4, kAvatar - 4);
    QPainterPath path;
    path.addEllipse(circle);
    painter.setClipPath(path);
    const QImage crop = imageOf(entry.photo->crops[static_cast<std::size_t>(entry.face)].square, entry.photo);
    painter.drawImage(circle,
                      crop.scaled((circle.size() * ratio).toSize(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
    painter.setClipping(false);
    painter.setPen(QPen(ring, 2));
    painter.drawEllipse(circle);
    return pixmap;
}

}  // namespace

PeoplePanel::PeoplePanel(PhotoList& list, QWidget* parent) : Panel(tr("People"), parent), list_(list) {
    auto* add = new IconButton(QStringLiteral("plus"), tr("Add photographs"));
    add->setSignSize(12);
    connect(add, &IconButton::clicked, this, &PeoplePanel::photosWanted);
    header().addStretch();
    header().addWidget(add);

    message_ = makeLabel({}, Ink::Warn, TextSize::Text);
    message_->setWordWrap(true);
    message_->setContentsMargins(kMargin, 10, kMargin, 0);
    message_->hide();
    body().addWidget(message_);
    pages_ = new QStackedLayout;
    body().addLayout(pages_, 1);  // First: a page without a parent would be shown as a window.
    pages_->addWidget(makeInvitation());
    pages_->addWidget(makePerson());
    connect(&list_, &PhotoList::changed, this, [this] { refresh(); });
    connect(&list_, &PhotoList::refused, this, &PeoplePanel::addMessage);
    refresh();
}

QWidget* PeoplePanel::makeInvitation() {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(28, 0, 28, 48);
    column->setSpacing(8);
    column->addStretch();
    auto* title = makeHeading(tr("Who is in the shot?"), Ink::Text, TextSize::Text);
    title->setAlignment(Qt::AlignHCenter);
    auto* advice = makeLabel(tr("Drop one to four photographs of one person here, paste them, or open them. "
                                "Sharp, well lit, face to the camera works best."),
                             Ink::Dim, TextSize::Text);
    advice->setAlignment(Qt::AlignHCenter);
    advice->setWordWrap(true);
    auto* open = new QPushButton(tr("Open photographs…"));
    connect(open, &QPushButton::clicked, this, &PeoplePanel::photosWanted);
    column->addWidget(title);
    column->addWidget(advice);
    column->addSpacing(6);
    column->addWidget(open, 0, Qt::AlignHCenter);
    column->addStretch();
    return page;
}

QWidget* PeoplePanel::makePersonRow() {
    auto* row = new QWidget;
    auto* line = new QHBoxLayout(row);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(8);
    face_ = new QLabel;
    face_->setFixedSize(kAvatar, kAvatar);
    auto* words = new QVBoxLayout;
    words->setSpacing(0);
    words->addWidget(makeHeading(tr("Person"), Ink::Text, TextSize::Text));
    counted_ = makeLabel({}, Ink::Dim, TextSize::Text);
    words->addWidget(counted_);
    line->addWidget(face_);
    line->addLayout(words, 1);
    return row;
}

QWidget* PeoplePanel::makePerson() {
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(kMargin, 8, kMargin, kMargin);
    column->setSpacing(8);
    column->addWidget(makePersonRow());
    column->addWidget(view_ = new PhotoView);
    column->addWidget(strip_ = new PhotoStrip(list_));
    column->addWidget(remark_ = makeLabel({}, Ink::Warn, TextSize::Text));
    remark_->setWordWrap(true);
    column->addSpacing(2);
    column->addWidget(seen_ = makeLabel(tr("What the model sees"), Ink::Dim));
    column->addWidget(model_ = new ModelView);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    auto* add = new QPushButton(tr("Add photographs…"));
    auto* remove = new QPushButton(tr("Remove"));
    remove->setToolTip(tr("Take this photograph out"));
    connect(add, &QPushButton::clicked, this, &PeoplePanel::photosWanted);
    connect(remove, &QPushButton::clicked, this, [this] { list_.remove(list_.current()); });
    buttons->addWidget(add);
    buttons->addWidget(remove);
    buttons->addStretch();
    column->addLayout(buttons);
    column->addStretch();
    connect(view_, &PhotoView::faceChosen, this, [this](int face) { list_.chooseFace(list_.current(), face); });

    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(page);
    return scroll;
}

QString PeoplePanel::summary() const {
    const int count = static_cast<int>(list_.entries().size());
    const QString photographs = count == 1 ? tr("1 photograph") : tr("%1 photographs").arg(count);
    if (usedPhotos(list_) == count) return photographs;
    return tr("%1, the first %2 are used").arg(photographs).arg(usedPhotos(list_));
}

QString PeoplePanel::remark() const {
    const PhotoEntry* entry = list_.currentEntry();
    if (!entry || !entry->photo) return {};
    const int faces = static_cast<int>(entry->photo->found.faces.size());
    if (faces == 0) return tr("No face was found in this photograph: remove it or take another.");
    if (faces == 2) return tr("Two faces: click the person, or press 1 or 2.");
    if (faces > 2) return tr("%1 faces: click the person, or press 1 to %2.").arg(faces).arg(std::min(faces, 9));
    return {};
}

void PeoplePanel::refresh() {
    const PhotoEntry* entry = list_.currentEntry();
    pages_->setCurrentIndex(entry ? 1 : 0);
    if (!entry) return;
    const bool seen = entry->hasFace();
    counted_->setText(summary());
    view_->show(entry->photo, entry->face);
    model_->show(seen ? entry->photo : nullptr, entry->face);
    seen_->setVisible(seen);
    model_->setVisible(seen);
    strip_->setVisible(list_.entries().size() > 1);
    remark_->setText(remark());
    remark_->setVisible(!remark_->text().isEmpty());
    setInk(*remark_, seen ? Ink::Dim : Ink::Warn);
    const bool pictured = list_.entries().front().hasFace();
    face_->setVisible(pictured);
    if (pictured) face_->setPixmap(avatarOf(list_.entries().front(), ink(palette(), Ink::Accent), devicePixelRatioF()));
}

void PeoplePanel::addMessage(const QString& sentence) {
    if (messages_.contains(sentence)) return;
    messages_.append(sentence);
    message_->setText(messages_.join('\n'));
    message_->show();
}

void PeoplePanel::clearMessages() {
    messages_.clear();
    message_->clear();
    message_->hide();
}

QString PeoplePanel::message() const { return message_->text(); }

void PeoplePanel::setDropOffered(bool offered) {
    dropOffered_ = offered;
    update();
}

void PeoplePanel::paintEvent(QPaintEvent* event) {
    Panel::paintEvent(event);
    if (!dropOffered_) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QColor wash = ink(palette(), Ink::Accent);
    painter.setPen(QPen(wash, 2));
    wash.setAlphaF(0.08F);
    painter.setBrush(wash);
    painter.drawRoundedRect(QRectF(rect()).adjusted(4, 36, -4, -4), 5, 5);
}

}  // namespace mirror::ui
