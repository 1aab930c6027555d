#include "ui/style/system_appearance.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>

namespace mirror::ui {

namespace {

constexpr const char* kPortal = "org.freedesktop.portal.Desktop";
constexpr const char* kPortalPath = "/org/freedesktop/portal/desktop";
constexpr const char* kPortalSettings = "org.freedesktop.portal.Settings";
constexpr const char* kAppearance = "org.freedesktop.appearance";
constexpr const char* kColorScheme = "color-scheme";
constexpr uint kPrefersLight = 2;  // The portal's values: 0 no preference, 1 dark, 2 light.

}  // namespace

SystemAppearance::SystemAppearance(Shade first, QObject* parent) : QObject(parent), shade_(first) { ask(); }

void SystemAppearance::ask() {
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;
    bus.connect(QLatin1String(kPortal), QLatin1String(kPortalPath), QLatin1String(kPortalSettings),
                QStringLiteral("SettingChanged"), this, SLOT(hear(QString, QString, QDBusVariant)));
    QDBusMessage question = QDBusMessage::createMethodCall(QLatin1String(kPortal), QLatin1String(kPortalPath),
                                                           QLatin1String(kPortalSettings), QStringLiteral("Read"));
    question << QString::fromLatin1(kAppearance) << QString::fromLatin1(kColorScheme);
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(question), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* call) {
        const QDBusPendingReply<QDBusVariant> reply = *call;
        call->deleteLater();
        if (!reply.isError()) hear(QLatin1String(kAppearance), QLatin1String(kColorScheme), reply.value());
    });
}

void SystemAppearance::hear(const QString& group, const QString& key, const QDBusVariant& value) {
    if (group != QLatin1String(kAppearance) || key != QLatin1String(kColorScheme)) return;
    QVariant inner = value.variant();
    if (inner.canConvert<QDBusVariant>()) inner = inner.value<QDBusVariant>().variant();
    shade_ = inner.toUInt() == kPrefersLight ? Shade::Light : Shade::Dark;
    Q_EMIT changed();
}

}  // namespace mirror::ui
