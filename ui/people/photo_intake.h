#pragma once

// What the clipboard or a drag carries, as files of photographs: names of files, or a picture that is written to a file
// first.

#include <QMimeData>
#include <QObject>
#include <QStringList>
#include <functional>

namespace mirror::ui {

class PhotoIntake : public QObject {
    Q_OBJECT

public:
    // Pictures without a file are kept in `folder`, made on first use.
    explicit PhotoIntake(QString folder, QObject* parent = nullptr);

    static bool canTake(const QMimeData& mime);
    void take(const QMimeData& mime);

Q_SIGNALS:
    void arrived(const QStringList& files);
    void refused(const QString& sentence);

private:
    // Made and written by the pool; no bytes are a failure.
    void keep(const QString& suffix, std::function<QByteArray()> encode);

    QString folder_;
};

}  // namespace mirror::ui
