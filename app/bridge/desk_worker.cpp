#include "app/bridge/desk_worker.h"

#include <QFile>
#include <QImage>
#include <algorithm>
#include <cstring>
#include <string_view>

#include "engine/core/durable_replace.h"
#include "ui/ports/paths.h"

namespace mirror::app {

namespace {

constexpr int kShownSide = 1600;  // Pixels of the longer side that the window is given to show.

// Large photographs are reduced here, so that drawing one costs the window nothing.
Frame reducedForShowing(Frame picture) {
    if (std::max(picture.width, picture.height) <= kShownSide) return picture;
    const QImage whole(picture.row(0), picture.width, picture.height, picture.width * 3, QImage::Format_RGB888);
    const QImage small = whole.scaled(kShownSide, kShownSide, Qt::KeepAspectRatio, Qt::SmoothTransformation)
                             .convertToFormat(QImage::Format_RGB888);
    Frame reduced{small.width(), small.height(), {}};
    const auto row = static_cast<std::size_t>(reduced.width) * 3;
    reduced.rgb.resize(row * static_cast<std::size_t>(reduced.height));
    for (int y = 0; y < reduced.height; ++y) std::memcpy(reduced.row(y), small.constScanLine(y), row);
    return reduced;
}

Result<QByteArray> bytesOf(const QString& file) {
    QFile clip(file);
    if (clip.open(QIODevice::ReadOnly)) {
        const qint64 size = clip.size();
        QByteArray bytes = clip.readAll();  // What there is, where reading fails on the way.
        if (clip.error() == QFileDevice::NoError && bytes.size() == size) return bytes;
    }
    return Error{ErrorCode::MissingFile, "The clip " + file.toStdString() + " cannot be read any more."};
}

}  // namespace

DeskWorker::DeskWorker(DeskTools tools, std::stop_token stop) : tools_(std::move(tools)), stop_(std::move(stop)) {}

void DeskWorker::inspectModel(const QString& folder) {
    if (stop_.stop_requested()) return;
    const Result<ui::ModelCard> card = tools_.readModel(ui::pathOf(folder));
    if (card) {
        Q_EMIT modelInspected(folder, card.value());
    } else {
        Q_EMIT modelRefused(folder, card.error());
    }
}

void DeskWorker::inspectPhoto(const QString& file) {
    if (stop_.stop_requested()) return;
    const Result<ui::SharedPhoto> photo = inspect(ui::pathOf(file));
    if (photo) {
        Q_EMIT photoInspected(file, photo.value());
    } else {
        Q_EMIT photoRefused(file, photo.error());
    }
}

Result<ui::SharedPhoto> DeskWorker::inspect(const std::filesystem::path& file) {
    if (!faces_) faces_ = tools_.openFaces();
    Result<Frame> picture = faces_->load(file);
    if (!picture) return picture.error();
    Result<std::vector<FaceBox>> found = faces_->find(picture.value());
    if (!found) return found.error();
    auto photo = std::make_shared<ui::InspectedPhoto>();
    photo->found = {file, picture.value().width, picture.value().height, std::move(found).value()};
    for (const FaceBox& face : photo->found.faces) {
        if (stop_.stop_requested()) return Error{ErrorCode::Cancelled, "The photograph is not wanted any more."};
        Result<FaceCrops> crops = faces_->crops(picture.value(), face);
        if (!crops) return crops.error();
        const Result<ui::SquareRegion> square = tools_.squareOf(photo->found.width, photo->found.height, face);
        if (!square) return square.error();
        photo->crops.push_back(std::move(crops).value());
        photo->squares.push_back(square.value());
    }
    photo->picture = reducedForShowing(std::move(picture).value());
    return ui::SharedPhoto(std::move(photo));
}

void DeskWorker::loadClip(const QString& file) {
    if (stop_.stop_requested()) return;
    Result<ui::LoadedClip> clip = tools_.readClip(ui::pathOf(file));
    if (clip) {
        Q_EMIT clipLoaded(file, std::make_shared<const ui::LoadedClip>(std::move(clip).value()));
    } else {
        Q_EMIT clipRefused(file, clip.error());
    }
}

void DeskWorker::saveClip(const QString& file, const QString& target) {
    // Not dropped by a stop: what somebody asked to keep is kept.
    const Result<QByteArray> bytes = bytesOf(file);
    if (!bytes) {
        Q_EMIT clipNotSaved(target, bytes.error());
        return;
    }
    const QByteArray& clip = bytes.value();
    const Status saved =
        durable_replace(ui::pathOf(target), std::string_view(clip.constData(), static_cast<std::size_t>(clip.size())));
    if (saved) {
        Q_EMIT clipSaved(file, target);
    } else {
        Q_EMIT clipNotSaved(target, saved.error());
    }
}

}  // namespace mirror::app
