#pragma once

// Everything slow that is no run: photographs, models and clips, on a thread of its own beside a running job.

#include <QObject>
#include <QString>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

#include "engine/core/face.h"
#include "engine/core/result.h"
#include "ui/ports/engine_client.h"

namespace mirror::app {

// The engine's functions that the desk uses; handed in, so that tests may use others.
struct DeskTools {
    std::function<std::unique_ptr<FaceReader>()> openFaces;  // Called on the desk's thread.
    std::function<Result<ui::SquareRegion>(int width, int height, const FaceBox& face)> squareOf;
    std::function<Result<ui::ModelCard>(const std::filesystem::path& folder)> readModel;
    std::function<Result<ui::LoadedClip>(const std::filesystem::path& file)> readClip;
};

// Works through its questions one after the other; after `stop` the waiting ones are dropped unanswered.
class DeskWorker : public QObject {
    Q_OBJECT

public:
    DeskWorker(DeskTools tools, std::stop_token stop);

    void inspectModel(const QString& folder);
    void inspectPhoto(const QString& file);
    void loadClip(const QString& file);
    void saveClip(const QString& file, const QString& target);

Q_SIGNALS:
    void modelInspected(const QString& folder, const mirror::ui::ModelCard& card);
    void modelRefused(const QString& folder, const mirror::Error& error);
    void photoInspected(const QString& file, const mirror::ui::SharedPhoto& photo);
    void photoRefused(const QString& file, const mirror::Error& error);
    void clipLoaded(const QString& file, const mirror::ui::SharedClip& clip);
    void clipRefused(const QString& file, const mirror::Error& error);
    void clipSaved(const QString& file, const QString& target);
    void clipNotSaved(const QString& target, const mirror::Error& error);

private:
    Result<ui::SharedPhoto> inspect(const std::filesystem::path& file);

    DeskTools tools_;
    std::stop_token stop_;
    std::unique_ptr<FaceReader> faces_;  // Made on first use, on the desk's thread.
};

}  // namespace mirror::app
