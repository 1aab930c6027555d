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

}  // namespace

int main(int argc, char** argv) {
    mirror::engine::recycle_cpu_memory();
    const auto plugin = mirror::engine::load_cuda_plugin();
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
    startLog();
    mirror::log(mirror::LogLevel::Info, "threads",
                mirror::kernels::waits_shortly() ? "Waiting turns are as the environment says."
                                                 : "Waiting turns are the runtime's own.");
    mirror::log(mirror::LogLevel::Info, "device", plugin.detail);
    mirror::app::Studio studio(application, options.value());
    studio.window().show();
    return QApplication::exec();
}
