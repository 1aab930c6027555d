#include "ui/shot/seed_field.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QRandomGenerator>

#include "ui/widgets/icon_button.h"

namespace mirror::ui {

namespace {

constexpr quint32 kDieSides = 1'000'000;  // Thrown seeds are short enough to be read aloud.

}  // namespace

SeedField::SeedField(QWidget* parent)
    : QWidget(parent),
      field_(new QLineEdit(QStringLiteral("0"))),
      die_(new IconButton(QStringLiteral("dice"), tr("Throw another seed"))),
      lock_(new IconButton(QStringLiteral("unlock"), tr("Keep this seed"))) {
    field_->setAlignment(Qt::AlignRight);
    field_->setAccessibleName(tr("Seed"));
    lock_->setCheckable(true);
    die_->setSignSize(13);
    lock_->setSignSize(13);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(2);
    row->addWidget(field_, 1);
    row->addWidget(die_);
    row->addWidget(lock_);
    connect(field_, &QLineEdit::editingFinished, this, &SeedField::commit);
    connect(die_, &IconButton::clicked, this, &SeedField::roll);
    connect(lock_, &IconButton::toggled, this, [this](bool locked) {
        lock_->setSign(locked ? QStringLiteral("lock") : QStringLiteral("unlock"),
                       locked ? tr("Throw a new seed for each take") : tr("Keep this seed"));
        Q_EMIT changed();
    });
}

void SeedField::setSeed(std::uint64_t seed) {
    seed_ = seed;
    field_->setText(QString::number(seed));
    Q_EMIT changed();
}

bool SeedField::isLocked() const { return lock_->isChecked(); }

void SeedField::setLocked(bool locked) { lock_->setChecked(locked); }

void SeedField::commit() {
    QString digits = field_->text();
    digits.remove(QLatin1Char(' '));
    bool valid = false;
    const std::uint64_t typed = digits.toULongLong(&valid);
    if (valid && typed != seed_) {
        setSeed(typed);
        setLocked(true);  // Who types a seed wants that one.
    } else {
        field_->setText(QString::number(seed_));
    }
}

void SeedField::roll() { setSeed(QRandomGenerator::global()->bounded(kDieSides)); }

}  // namespace mirror::ui
