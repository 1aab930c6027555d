#include "ui/style/theme.h"

#include <QFontDatabase>
#include <QStyleFactory>

#include "ui/style/style_sheet.h"
#include "ui/style/system_appearance.h"

// Resources of a static library are linked only if somebody names them, outside of any namespace.
static void openResources() { Q_INIT_RESOURCE(studio); }

namespace mirror::ui {

namespace {

constexpr double kTextPoints = 12.5 * 72 / 96;
constexpr double kLabelPoints = 11.5 * 72 / 96;

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

Theme::Theme(QApplication& application, ThemeChoice choice)
    : application_(application), choice_(choice), system_(new SystemAppearance(shadeOf(application.palette()), this)) {
    openResources();
    for (const char* name : {":/fonts/MirrorInter-Regular.otf", ":/fonts/MirrorInter-SemiBold.otf"}) {
        QFontDatabase::addApplicationFont(QLatin1String(name));
    }
    application_.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    application_.setFont(textFont());
    connect(system_, &SystemAppearance::changed, this, &Theme::dress);
    dress();
}

void Theme::choose(ThemeChoice choice) {
    choice_ = choice;
    dress();
}

void Theme::dress() {
    shade_ = choice_ == ThemeChoice::System ? system_->shade()
             : choice_ == ThemeChoice::Dark ? Shade::Dark
                                            : Shade::Light;
    application_.setPalette(paletteFor(shade_));
    application_.setStyleSheet(styleSheetFor(shade_));
    Q_EMIT changed();
}

}  // namespace mirror::ui
