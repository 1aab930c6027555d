// magic-mirror-studio: the window.

#include <QApplication>
#include <cstdio>

#include "app/studio/composition.h"

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("magic-mirror-studio"));
    QApplication::setApplicationDisplayName(QStringLiteral("Magic Mirror Studio"));
    QApplication::setApplicationVersion(QStringLiteral(MIRROR_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("magic-mirror-studio"));

    const auto options = mirror::app::readOptions(QApplication::arguments());
    if (!options) {
        std::fprintf(stderr, "magic-mirror-studio: %s\n", options.error().detail.c_str());
        return 2;
    }
    if (!options.value().printed.isEmpty()) {
        std::fputs(qPrintable(options.value().printed), stdout);
        return 0;
    }
    mirror::app::Studio studio(application, options.value());
    studio.window().show();
    return QApplication::exec();
}
