#include "ui/people/photo_intake.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QDir>
#include <QImage>
#include <QPointer>
#include <QThreadPool>
#include <QUrl>
#include <QUuid>
#include <string_view>

#include "engine/core/durable_replace.h"
#include "ui/ports/paths.h"

namespace mirror::ui {

namespace {

QStringList localFiles(const QMimeData& mime) {
    QStringList files;
    for (const QUrl& url : mime.urls()) {
        if (url.isLocalFile()) files.append(url.toLocalFile());
    }
    return files;
}

// The first of the formats that photographs come in; empty if the picture is not encoded in any.
QString encodedFormat(const QMimeData& mime) {
    for (const char* format : {"image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp"})
        if (mime.hasFormat(QLatin1String(format))) return QLatin1String(format);
    return {};
}

QByteArray pngOf(const QImage& picture) {
    QBuffer png;
    return png.open(QIODevice::WriteOnly) && picture.save(&png, "PNG") ? png.data() : QByteArray();
}

QString fileSuffix(const QString& format) { return format.section('/', 1); }

}  // namespace

PhotoIntake::PhotoIntake(QString folder, QObject* parent) : QObject(parent), folder_(std::move(folder)) {}

bool PhotoIntake::canTake(const QMimeData& mime) {
    return !localFiles(mime).isEmpty() || !encodedFormat(mime).isEmpty() || mime.hasImage();
}

void PhotoIntake::take(const QMimeData& mime) {
    if (const QStringList files = localFiles(mime); !files.isEmpty()) {
        Q_EMIT arrived(files);
    } else if (const QString format = encodedFormat(mime); !format.isEmpty()) {
        // As they are: nothing is decoded on the window's thread, and the photograph keeps what its file says.
        keep(fileSuffix(format), [bytes = mime.data(format)] { return bytes; });
    } else if (mime.hasImage()) {
        keep(QStringLiteral("png"), [picture = qvariant_cast<QImage>(mime.imageData())] { return pngOf(picture); });
    } else {
        Q_EMIT refused(tr("The clipboard holds no photograph."));
    }
}

void PhotoIntake::keep(const QString& suffix, std::function<QByteArray()> encode) {
    const QString name = QUuid::createUuid().toString(QUuid::WithoutBraces).left(8);
    const QString file = QDir(folder_).filePath(QStringLiteral("pasted-%1.%2").arg(name, suffix));
    const QPointer<PhotoIntake> self(this);
    QThreadPool::globalInstance()->start([self, encode = std::move(encode), file, folder = folder_] {
        const QByteArray bytes = encode();
        const std::string_view content(bytes.constData(), static_cast<std::size_t>(bytes.size()));
        const bool kept = !bytes.isEmpty() && QDir().mkpath(folder) && durable_replace(pathOf(file), content).ok();
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
