#include "ui/widgets/panel.h"

#include "ui/widgets/labels.h"

namespace mirror::ui {

namespace {

constexpr int kHeaderHeight = 32;
constexpr int kMargin = 12;

}  // namespace

Panel::Panel(const QString& title, QWidget* parent) : QWidget(parent), title_(makeHeading(title, Ink::Dim)) {
    setAutoFillBackground(true);
    setAccessibleName(title);
    auto* bar = new QWidget;
    bar->setFixedHeight(kHeaderHeight);
    header_ = new QHBoxLayout(bar);
    header_->setContentsMargins(kMargin, 0, kMargin - 6, 0);
    header_->setSpacing(4);
    header_->addWidget(title_);

    body_ = new QVBoxLayout;
    body_->setContentsMargins(0, 0, 0, 0);
    body_->setSpacing(0);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    column->addWidget(new HairLine(Ink::Line));
    column->addLayout(body_, 1);
}

}  // namespace mirror::ui
