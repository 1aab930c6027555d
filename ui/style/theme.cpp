#include "ui/style/theme.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QFontDatabase>
#include <QStyleFactory>

#include "ui/style/style_sheet.h"

// Resources of a static library are linked only if somebody names them, outside of any namespace.
static void openResources() { Q_INIT_RESOURCE(studio); }

namespace mirror::ui {

namespace {

constexpr double kTextPoints = 12.5 * 72 / 96;
constexpr double kLabelPoints = 11.5 * 72 / 96;

constexpr const char* kPortal = "org.freedesktop.portal.Desktop";
constexpr const char* kPortalPath = "/org/freedesktop/portal/desktop";
constexpr const char* kPortalSettings = "org.freedesktop.portal.Settings";
constexpr const char* kAppearance = "org.freedesktop.appearance";
constexpr const char* kColorScheme = "color-scheme";
constexpr uint kPrefersLight = 2;  // The portal's values: 0 no preference, 1 dark, 2 light.

QFont fontOf(double points) {
    QFont font(QStringLiteral("Mirror Inter"));
    font.setPointSizeF(points);
    font.setHintingPreference(QFont::PreferNoHinting);
    return font;
}

Shade shadeOf(const QPalette& palette) {
    return palette.color(QPalette::Window).lightness() < 128 ? Shade::Dark : Shade::Light;
}

}  // namespace

QFont textFont() { return fontOf(kTextPoints); }
QFont labelFont() { return fontOf(kLabelPoints); }

Theme::Theme(QApplication& application, ThemeChoice choice) : application_(application), choice_(choice) {
    openResources();
    for (const char* name : {":/fonts/MirrorInter-Regular.otf", ":/fonts/MirrorInter-SemiBold.otf"}) {
        QFontDatabase::addApplicationFont(QLatin1String(name));
    }
    system_ = shadeOf(application_.palette());
    application_.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    application_.setFont(textFont());
    dress();
    askSystem();
}

void Theme::choose(ThemeChoice choice) {
    choice_ = choice;
    dress();
}

void Theme::askSystem() {
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;  // The palette's lightness stands.
    bus.connect(QLatin1String(kPortal), QLatin1String(kPortalPath), QLatin1String(kPortalSettings),
                QStringLiteral("SettingChanged"), this, SLOT(hearSystem(QString, QString, QDBusVariant)));
    QDBusMessage ask = QDBusMessage::createMethodCall(QLatin1String(kPortal), QLatin1String(kPortalPath),
                                                      QLatin1String(kPortalSettings), QStringLiteral("Read"));
    ask << QString::fromLatin1(kAppearance) << QString::fromLatin1(kColorScheme);
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(ask), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* call) {
        const QDBusPendingReply<QDBusVariant> reply = *call;
        call->deleteLater();
        if (reply.isError()) return;
        hearSystem(QLatin1String(kAppearance), QLatin1String(kColorScheme), reply.value());
    });
}

void Theme::hearSystem(const QString& group, const QString& key, const QDBusVariant& value) {
    if (group != QLatin1String(kAppearance) || key != QLatin1String(kColorScheme)) return;
    QVariant inner = value.variant();
    if (inner.canConvert<QDBusVariant>()) inner = inner.value<QDBusVariant>().variant();
    system_ = inner.toUInt() == kPrefersLight ? Shade::Light : Shade::Dark;
    dress();
}

void Theme::dress() {
    shade_ = choice_ == ThemeChoice::System ? system_ : choice_ == ThemeChoice::Dark ? Shade::Dark : Shade::Light;
    application_.setPalette(paletteFor(shade_));
    application_.setStyleSheet(styleSheetFor(shade_));
    Q_EMIT changed();
}

}  // namespace mirror::ui
