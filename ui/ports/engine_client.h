#pragma once

// All the window knows of the engine. Implemented by app/bridge; by a fake in the window's tests.

#include <QObject>
#include <QString>
#include <QUuid>
#include <memory>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"
#include "engine/core/progress.h"
#include "engine/core/request.h"
#include "engine/core/result.h"

namespace mirror::ui {

// The square that is cut out around a face, in pixels of the upright photograph.
struct SquareRegion {
    int x = 0;
    int y = 0;
    int side = 0;
};

// One photograph read and searched: the upright picture, the faces, and for each face what the encoders see of it.
struct InspectedPhoto {
    PhotoFaces found;              // Its pixels are those of the photograph, not of `picture`.
    Frame picture;                 // For showing: reduced if the photograph is large.
    std::vector<FaceCrops> crops;  // crops[i] and squares[i] belong to found.faces[i]
    std::vector<SquareRegion> squares;
};
using SharedPhoto = std::shared_ptr<const InspectedPhoto>;

// What a checkpoint folder says about itself.
struct ModelCard {
    QString folder;
    QString name;         // For people: the folder's name.
    VideoSpec native;     // The size and length it was made for.
    int frameStride = 8;  // A clip has one frame more than a multiple of this.
    SamplerKind sampler = SamplerKind::Dpm;
    int steps = 50;  // What suits it, as the next.
    double guidance = 6.0;
    bool hasAdapter = false;  // Without one the person cannot be kept.
    bool takesImage = false;  // It starts from a first frame.
    bool randomWeights = false;
};

// A finished clip, decoded from its file and held in memory so that every frame is there at once.
struct LoadedClip {
    QString file;
    FrameRate rate;
    std::vector<Frame> frames;
};
using SharedClip = std::shared_ptr<const LoadedClip>;

// What the engine says about a run that succeeded.
struct TakeReport {
    QString file;
    QString latents;  // The denoised latents, kept so that the video can be made again.
    int stepsRun = 0;
    double seconds = 0;
    bool randomWeights = false;  // The model was made by `models init`: its pictures are noise.
};

// Every function returns at once; every answer is a signal on the thread of the client. One answer for each question:
// modelInspected or modelRefused, photoInspected or photoRefused, clipLoaded or clipRefused, clipSaved or clipNotSaved,
// finished or failed.
class EngineClient : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    // Jobs run one after the other. `target` is the file to write; nothing appears under that name before it is whole.
    virtual QUuid submit(const mirror::GenerationRequest& request, const QString& target) = 0;
    // The job ends as failed() with ErrorCode::Cancelled. Unknown and ended jobs are ignored.
    virtual void cancel(const QUuid& job) = 0;
    // The newest preview and nothing older; null when it was taken already.
    virtual SharedPreview takePreview(const QUuid& job) = 0;

    virtual void inspectModel(const QString& folder) = 0;
    virtual void inspectPhoto(const QString& file) = 0;
    virtual void loadClip(const QString& file) = 0;
    // Copies a finished clip durably: `target` is either the whole clip or what it was before.
    virtual void saveClip(const QString& file, const QString& target) = 0;

Q_SIGNALS:
    void started(const QUuid& job);
    void progressed(const QUuid& job, const mirror::Progress& progress);
    void previewReady(const QUuid& job);
    void noticed(const QUuid& job, const QString& detail);
    void finished(const QUuid& job, const mirror::ui::TakeReport& report);
    void failed(const QUuid& job, const mirror::Error& error);

    void modelInspected(const QString& folder, const mirror::ui::ModelCard& card);
    void modelRefused(const QString& folder, const mirror::Error& error);
    void photoInspected(const QString& file, const mirror::ui::SharedPhoto& photo);
    void photoRefused(const QString& file, const mirror::Error& error);
    void clipLoaded(const QString& file, const mirror::ui::SharedClip& clip);
    void clipRefused(const QString& file, const mirror::Error& error);
    void clipSaved(const QString& file, const QString& target);
    void clipNotSaved(const QString& target, const mirror::Error& error);
};

}  // namespace mirror::ui
