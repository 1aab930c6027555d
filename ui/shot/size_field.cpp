#include "ui/shot/size_field.h"

#include <QLineEdit>
#include <QRegularExpression>
#include <QStyle>
#include <QWheelEvent>

#include "engine/core/limits.h"

namespace mirror::ui {

namespace {

constexpr int kMultiple = 16;
constexpr QSize kUsual[] = {{1360, 768}, {720, 480}, {480, 480}, {480, 320}, {240, 160}};

bool isSide(int pixels) { return pixels >= limits::kMinSide && pixels <= limits::kMaxSide && pixels % kMultiple == 0; }

}  // namespace

std::optional<QSize> sizeOf(const QString& text) {
    static const QRegularExpression pattern(QStringLiteral("^\\s*(\\d{1,5})\\s*[x×X*]\\s*(\\d{1,5})\\s*$"));
    const QRegularExpressionMatch match = pattern.match(text);
    if (!match.hasMatch()) return {};
    const QSize size(match.captured(1).toInt(), match.captured(2).toInt());
    if (!isSide(size.width()) || !isSide(size.height())) return {};
    return size;
}

QString textOf(const QSize& size) { return QStringLiteral("%1 × %2").arg(size.width()).arg(size.height()); }

SizeField::SizeField(QWidget* parent) : QComboBox(parent) {
    setEditable(true);
    setInsertPolicy(QComboBox::NoInsert);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Size"));
    for (const QSize& size : kUsual) addItem(textOf(size));
    setSize({720, 480});
    connect(this, &QComboBox::currentTextChanged, this, &SizeField::changed);
    connect(lineEdit(), &QLineEdit::editingFinished, this, [this] {
        if (const auto typed = size()) setEditText(textOf(*typed));
    });
}

void SizeField::setSize(const QSize& size) {
    setEditText(textOf(size));
    lineEdit()->setCursorPosition(0);
}

void SizeField::wheelEvent(QWheelEvent* event) {
    if (hasFocus()) return QComboBox::wheelEvent(event);
    event->ignore();
}

}  // namespace mirror::ui
