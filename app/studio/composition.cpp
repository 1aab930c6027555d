#include "app/studio/composition.h"

#include <QDir>
#include <QIcon>
#include <QStandardPaths>

#include "engine/face/alignment.h"
#include "engine/face/face_reader.h"
#include "engine/media/mp4_sink.h"
#include "engine/media/video_file.h"
#include "engine/session/builtin_model.h"
#include "engine/session/model_info.h"
#include "engine/session/session.h"
#include "ui/ports/paths.h"
#include "ui/shot/shot_panel.h"

namespace mirror::app {

namespace {

constexpr double kCropExpand = 2.0;  // `ref_crop_expand` of the adapter's published configuration.

Result<std::unique_ptr<engine::Session>> openSession() {
    return engine::open_session(face::make_face_reader(), engine::Models::Keep);
}

std::unique_ptr<VideoSink> openSink(const QString& target) { return media::make_mp4_sink(ui::pathOf(target)); }

Result<ui::SquareRegion> squareOf(int width, int height, const FaceBox& found) {
    const Result<face::Window> window = face::square_window(Frame{width, height, {}}, found, kCropExpand);
    if (!window) return window.error();
    return ui::SquareRegion{window.value().x, window.value().y, window.value().side};
}

Result<ui::LoadedClip> readClip(const std::filesystem::path& file) {
    Result<media::Video> video = media::read_video(file);
    if (!video) return video.error();
    return ui::LoadedClip{ui::textOf(file), video.value().info.rate, std::move(video).value().frames};
}

Result<ui::ModelCard> readModel(const std::filesystem::path& folder) {
    const Result<engine::ModelInfo> info = engine::read_model_info(folder);
    if (!info) return info.error();
    const engine::ModelInfo& told = info.value();
    const QString name = QDir(ui::textOf(folder)).dirName();
    return ui::ModelCard{ui::textOf(folder), name,          told.video,       told.frames_step, told.sampler,
                         told.steps,         told.guidance, told.has_adapter, told.takes_image, told.random_weights};
}

ui::WindowFolders windowFolders() {
    const QDir own(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation));
    return {own.filePath(QStringLiteral("takes")), own.filePath(QStringLiteral("pasted"))};
}

ui::ThemeChoice appearance(const StudioOptions& options, const QSettings& settings) {
    if (options.appearance) return *options.appearance;
    const int last = settings.value(QStringLiteral("appearance"), 0).toInt();
    return last >= 0 && last <= 2 ? static_cast<ui::ThemeChoice>(last) : ui::ThemeChoice::System;
}

}  // namespace

Studio::Studio(QApplication& application, const StudioOptions& options)
    : settings_(QSettings::IniFormat, QSettings::UserScope, QCoreApplication::applicationName(),
                QStringLiteral("studio")),
      theme_(application, appearance(options, settings_)),
      client_(openSession, openSink, {[] { return face::make_face_reader(); }, squareOf, readModel, readClip}),
      window_(client_, theme_, settings_, windowFolders(), options.place) {
    application.setWindowIcon(QIcon(QStringLiteral(":/icons/application.svg")));
    ui::ShotDraft draft = window_.shot().draft();
    draft.prompt = options.prompt;
    window_.shot().apply(draft);
    QString model = options.model.isEmpty() ? settings_.value(QStringLiteral("model")).toString() : options.model;
    if (const auto builtin = engine::find_builtin_model(); builtin && model.isEmpty()) model = ui::textOf(*builtin);
    if (!model.isEmpty()) window_.chooseModel(model);
    if (!options.photos.isEmpty()) window_.openPhotos(options.photos);
}

}  // namespace mirror::app
