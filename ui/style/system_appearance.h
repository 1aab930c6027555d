#pragma once

// Asks the desktop whether it is dark or light, and hears when that changes. Without an answer the colours it started
// with stand.

#include <QDBusVariant>
#include <QObject>

#include "ui/style/ink.h"

namespace mirror::ui {

class SystemAppearance : public QObject {
    Q_OBJECT

public:
    SystemAppearance(Shade first, QObject* parent);

    Shade shade() const { return shade_; }

Q_SIGNALS:
    void changed();

private Q_SLOTS:
    void hear(const QString& group, const QString& key, const QDBusVariant& value);

private:
    void ask();

    Shade shade_;
};

}  // namespace mirror::ui
