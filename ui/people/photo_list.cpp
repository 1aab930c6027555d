#include "ui/people/photo_list.h"

#include <QFileInfo>
#include <algorithm>

#include "engine/core/limits.h"
#include "ui/ports/paths.h"

namespace mirror::ui {

PhotoList::PhotoList(EngineClient& client, QObject* parent) : QObject(parent), client_(client) {
    connect(&client_, &EngineClient::photoInspected, this, &PhotoList::take);
    connect(&client_, &EngineClient::photoRefused, this, &PhotoList::refuse);
}

const PhotoEntry* PhotoList::currentEntry() const {
    return current_ < 0 ? nullptr : &entries_[static_cast<std::size_t>(current_)];
}

int PhotoList::find(const QString& file) const {
    const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const PhotoEntry& e) { return e.file == file; });
    return it == entries_.end() ? -1 : static_cast<int>(it - entries_.begin());
}

void PhotoList::add(const QStringList& files) {
    int left_out = 0;
    for (const QString& name : files) {
        const QString file = QFileInfo(name).absoluteFilePath();
        if (const int known = find(file); known >= 0) {
            current_ = known;
            continue;
        }
        if (static_cast<int>(entries_.size()) == kMostPhotos) {
            ++left_out;
            continue;
        }
        entries_.push_back({file, nullptr, 0});
        current_ = static_cast<int>(entries_.size()) - 1;
        client_.inspectPhoto(file);
    }
    if (left_out > 0) {
        Q_EMIT refused(
            tr("A person has at most %1 photographs; %n were left out.", nullptr, left_out).arg(kMostPhotos));
    }
    Q_EMIT changed();
}

void PhotoList::remove(int index) {
    if (index < 0 || index >= static_cast<int>(entries_.size())) return;
    entries_.erase(entries_.begin() + index);
    if (current_ > index || current_ == static_cast<int>(entries_.size())) --current_;
    Q_EMIT changed();
}

void PhotoList::show(int index) {
    if (index < 0 || index >= static_cast<int>(entries_.size()) || index == current_) return;
    current_ = index;
    Q_EMIT changed();
}

void PhotoList::chooseFace(int index, int face) {
    if (index < 0 || index >= static_cast<int>(entries_.size())) return;
    PhotoEntry& entry = entries_[static_cast<std::size_t>(index)];
    if (!entry.photo || face < 0 || face >= static_cast<int>(entry.photo->found.faces.size())) return;
    entry.face = face;
    Q_EMIT changed();
}

std::vector<ReferencePhoto> PhotoList::references() const {
    std::vector<ReferencePhoto> references;
    for (int i = 0; i < usedPhotos(*this); ++i) {
        const PhotoEntry& entry = entries_[static_cast<std::size_t>(i)];
        ReferencePhoto reference{pathOf(entry.file), {}};
        if (entry.photo && entry.photo->found.faces.size() > 1) reference.face = entry.face + 1;
        references.push_back(std::move(reference));
    }
    return references;
}

void PhotoList::take(const QString& file, const SharedPhoto& photo) {
    const int index = find(file);
    if (index < 0) return;  // Removed in the meantime.
    PhotoEntry& entry = entries_[static_cast<std::size_t>(index)];
    entry.photo = photo;
    entry.face = 0;
    Q_EMIT changed();
}

void PhotoList::refuse(const QString& file, const Error& error) {
    const int index = find(file);
    if (index < 0) return;
    const QString sentence = QString::fromStdString(error.detail);
    remove(index);
    Q_EMIT refused(sentence);
}

int usedPhotos(const PhotoList& list) {
    return static_cast<int>(std::min(list.entries().size(), limits::kMaxReferences));
}

}  // namespace mirror::ui
