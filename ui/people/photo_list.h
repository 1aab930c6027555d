#pragma once

// The photographs of the person: which files, what was found in them, which face is meant. Knows no widget.

#include <QObject>
#include <QStringList>
#include <vector>

#include "ui/ports/engine_client.h"

namespace mirror::ui {

struct PhotoEntry {
    QString file;
    SharedPhoto photo;  // Null while it is being read.
    int face = 0;       // The chosen one, counted from 0.

    bool hasFace() const { return photo && !photo->found.faces.empty(); }
};

class PhotoList : public QObject {
    Q_OBJECT

public:
    static constexpr int kMostPhotos = 12;

    explicit PhotoList(EngineClient& client, QObject* parent = nullptr);

    const std::vector<PhotoEntry>& entries() const { return entries_; }
    int current() const { return current_; }  // -1 while empty.
    const PhotoEntry* currentEntry() const;

    // Files that are there already are shown instead of added twice. A file that cannot be read leaves the list again.
    void add(const QStringList& files);
    void remove(int index);
    void show(int index);
    void chooseFace(int index, int face);

    // What a run uses: the first photographs, as many as it takes. The face is named only if there are several.
    std::vector<ReferencePhoto> references() const;

Q_SIGNALS:
    void changed();
    void refused(const QString& sentence);

private:
    int find(const QString& file) const;
    void take(const QString& file, const SharedPhoto& photo);
    void refuse(const QString& file, const Error& error);

    EngineClient& client_;
    std::vector<PhotoEntry> entries_;
    int current_ = -1;
};

// How many of the photographs a run uses.
int usedPhotos(const PhotoList& list);

}  // namespace mirror::ui
