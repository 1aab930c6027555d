#include "ui/people/photo_intake.h"

#include <QCoreApplication>
#include <QDir>
#include <QImage>
#include <QPointer>
#include <QThreadPool>
#include <QUrl>
#include <QUuid>

namespace mirror::ui {

namespace {

QStringList localFiles(const QMimeData& mime) {
    QStringList files;
    for (const QUrl& url : mime.urls()) {
        if (url.isLocalFile()) files.append(url.toLocalFile());
    }
    return files;
}

}  // namespace

PhotoIntake::PhotoIntake(QString folder, QObject* parent) : QObject(parent), folder_(std::move(folder)) {}

bool PhotoIntake::canTake(const QMimeData& mime) { return !localFiles(mime).isEmpty() || mime.hasImage(); }

void PhotoIntake::take(const QMimeData& mime) {
    if (const QStringList files = localFiles(mime); !files.isEmpty()) {
        Q_EMIT arrived(files);
    } else if (mime.hasImage()) {
        keep(qvariant_cast<QImage>(mime.imageData()));
    } else {
        Q_EMIT refused(tr("The clipboard holds no photograph."));
    }
}

void PhotoIntake::keep(const QImage& picture) {
    const QString file = QDir(folder_).filePath(
        QStringLiteral("pasted-%1.png").arg(QUuid::createUuid().toString(QUuid::WithoutBraces).left(8)));
    const QPointer<PhotoIntake> self(this);
    QThreadPool::globalInstance()->start([self, picture, file, folder = folder_] {
        const bool kept = QDir().mkpath(folder) && picture.save(file, "PNG");
        QMetaObject::invokeMethod(qApp, [self, file, kept] {
            if (!self) return;
            if (kept) {
                Q_EMIT self->arrived({file});
            } else {
                Q_EMIT self->refused(tr("The pasted picture could not be kept in %1.").arg(file));
            }
        });
    });
}

}  // namespace mirror::ui
