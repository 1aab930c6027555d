#include "ui/window/top_bar.h"

#include <QHBoxLayout>
#include <QPushButton>

#include "ui/widgets/icon_button.h"
#include "ui/widgets/labels.h"

namespace mirror::ui {

namespace {

constexpr int kHeight = 36;

}  // namespace

TopBar::TopBar(QWidget* parent)
    : QWidget(parent),
      take_(makeLabel({}, Ink::Dim, TextSize::Text)),
      device_(makeLabel({}, Ink::Dim, TextSize::Text)),
      model_(makeLabel({}, Ink::Dim, TextSize::Text)),
      save_(new QPushButton(tr("Save…"))),
      menu_(new IconButton(QStringLiteral("more"), tr("Menu"))) {
    setFixedHeight(kHeight);
    setAutoFillBackground(true);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 0, 8, 0);
    row->setSpacing(16);
    row->addWidget(makeHeading(tr("Magic Mirror Studio"), Ink::Text, TextSize::Text));
    row->addWidget(take_);
    row->addStretch();
    row->addWidget(device_);
    row->addWidget(model_);
    row->addWidget(save_);
    row->addWidget(menu_);
    row->setSpacing(14);
}

void TopBar::setTake(const QString& words) { take_->setText(words.isEmpty() ? QString() : tr("— %1").arg(words)); }

void TopBar::setPlace(const QString& device, const QString& model) {
    device_->setText(device);
    model_->setText(model);
    model_->setVisible(!model.isEmpty());
}

}  // namespace mirror::ui
