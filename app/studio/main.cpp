// magic-mirror-studio: the window.

#include <QApplication>
#include <QDir>
#include <QStandardPaths>
#include <cstdio>

#include "app/studio/composition.h"
#include "engine/core/log.h"
#include "engine/device/cuda_plugin.h"
#include "engine/kernels/cpu/short_waits.h"
#include "engine/tensor/recycled_memory.h"

namespace {

void writeQtMessage(QtMsgType type, const QMessageLogContext& /*where*/, const QString& message) {
    const auto level = type == QtDebugMsg || type == QtInfoMsg ? mirror::LogLevel::Info : mirror::LogLevel::Warning;
    mirror::log(level, "qt", message.toStdString());
}

void startLog() {
    const QDir own(QStandardPaths::writableLocation(QStandardPaths::AppLocalDataLocation));
    mirror::start_log(own.filePath(QStringLiteral("log.txt")).toStdString());
    qInstallMessageHandler(writeQtMessage);
}

// The words are read before there is a display, which help and refusals do not need.
mirror::Result<mirror::app::StudioOptions> optionsOf(int argc, char** argv) {
    const QCoreApplication reader(argc, argv);
    return mirror::app::readOptions(QCoreApplication::arguments());
}

}  // namespace

int main(int argc, char** argv) {
    QCoreApplication::setApplicationName(QStringLiteral("magic-mirror-studio"));
    QCoreApplication::setApplicationVersion(QStringLiteral(MIRROR_VERSION));
    const auto options = optionsOf(argc, argv);
    if (!options) {
        std::fprintf(stderr, "magic-mirror-studio: %s\n", options.error().detail.c_str());
        return 2;
    }
    if (!options.value().printed.isEmpty()) {
        std::fputs(qPrintable(options.value().printed), stdout);
        return 0;
    }
    mirror::engine::recycle_cpu_memory();
    const auto plugin = mirror::engine::load_cuda_plugin();
    QApplication application(argc, argv);
    QApplication::setApplicationDisplayName(QStringLiteral("Magic Mirror Studio"));
    QApplication::setDesktopFileName(QStringLiteral("magic-mirror-studio"));
    startLog();
    mirror::log(mirror::LogLevel::Info, "threads",
                mirror::kernels::waits_shortly() ? "Waiting turns are as the environment says."
                                                 : "Waiting turns are the runtime's own.");
    mirror::log(mirror::LogLevel::Info, "device", plugin.detail);
    mirror::app::Studio studio(application, options.value());
    studio.window().show();
    return QApplication::exec();
}
