#pragma once

// Runs jobs on the engine's thread. The only object that calls the session.

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QUuid>
#include <functional>
#include <memory>
#include <stop_token>

#include "app/bridge/preview_mailbox.h"
#include "engine/core/progress.h"
#include "engine/core/request.h"
#include "engine/core/result.h"
#include "engine/core/video_sink.h"
#include "engine/session/session.h"
#include "ui/ports/engine_client.h"

namespace mirror::app {

struct Job {
    QUuid id;
    GenerationRequest request;
    QString target;
    std::stop_token stop;
    std::shared_ptr<PreviewMailbox> previews;
};

// run() blocks its thread's event loop for the whole job, so a queued cancel would arrive after the end: stopping goes
// through Job::stop. Progress is told at most about thirty times a second, so that a fast model cannot flood the
// window.
class EngineWorker : public QObject {
    Q_OBJECT

public:
    using SessionFactory = std::function<Result<std::unique_ptr<engine::Session>>()>;
    using SinkFactory = std::function<std::unique_ptr<VideoSink>(const QString& target)>;

    EngineWorker(SessionFactory openSession, SinkFactory openSink);

    void run(const Job& job);

Q_SIGNALS:
    void started(const QUuid& job);
    void progressed(const QUuid& job, const mirror::Progress& progress);
    void previewReady(const QUuid& job);
    void noticed(const QUuid& job, const QString& detail);
    void finished(const QUuid& job, const mirror::ui::TakeReport& report);
    void failed(const QUuid& job, const mirror::Error& error);

private:
    Result<ui::TakeReport> make(const Job& job);
    Status openSession();
    void forward(const Job& job, const ProgressEvent& event);
    bool isWorthTelling(const Progress& progress);

    SessionFactory openSession_;
    SinkFactory openSink_;
    std::unique_ptr<engine::Session> session_;  // Made on first use, so that it belongs to the engine's thread.
    Stage toldStage_ = Stage::ReadReferences;
    QElapsedTimer sinceTold_;
};

}  // namespace mirror::app
