#pragma once

// An engine that answers what the test tells it to, when the test tells it to.

#include <QColor>
#include <QStringList>

#include "ui/ports/engine_client.h"

namespace mirror::ui {

class FakeEngineClient : public EngineClient {
    Q_OBJECT

public:
    using EngineClient::EngineClient;

    QUuid submit(const GenerationRequest& request, const QString& target) override;
    void cancel(const QUuid& asked) override { cancelled.append(asked); }
    SharedPreview takePreview(const QUuid& job) override;
    void inspectModel(const QString& folder) override { askedModels.append(folder); }
    void inspectPhoto(const QString& file) override { askedPhotos.append(file); }
    void loadClip(const QString& file) override { askedClips.append(file); }
    void saveClip(const QString& file, const QString& copy) override { saves.append({file, copy}); }

    // The answers. Jobs are the last one that was submitted.
    void answerModel(const ModelCard& card = {});
    void answerPhoto(const SharedPhoto& photo);
    void begin() { Q_EMIT started(job); }
    void tell(Stage stage, int step, int steps, double secondsLeft = -1);
    void preview(const SharedPreview& clip);
    void finish(bool randomWeights = false);
    void fail(ErrorCode code, const char* sentence) { Q_EMIT failed(job, {code, sentence}); }
    void answerClip(const SharedClip& clip) { Q_EMIT clipLoaded(askedClips.last(), clip); }

    QUuid job;
    GenerationRequest request;
    QString target;
    int submissions = 0;
    int takenPreviews = 0;
    QList<QUuid> cancelled;
    QStringList askedModels;
    QStringList askedPhotos;
    QStringList askedClips;
    QList<std::pair<QString, QString>> saves;

private:
    SharedPreview waiting_;
};

Frame plainFrame(int width, int height, const QColor& color);
// A photograph with this many faces side by side; each with its crops.
SharedPhoto photoWithFaces(int faces, int width = 640, int height = 480);
SharedPreview previewOf(const QColor& color, int frames = 3, double framesPerSecond = 20, int step = 1);
SharedClip clipOf(const QColor& color, int frames, const QString& file);

}  // namespace mirror::ui
