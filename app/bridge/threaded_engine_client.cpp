#include "app/bridge/threaded_engine_client.h"

namespace mirror::app {

ThreadedEngineClient::ThreadedEngineClient(EngineWorker::SessionFactory openSession, EngineWorker::SinkFactory openSink,
                                           DeskTools tools, QObject* parent)
    : EngineClient(parent),
      engine_(new EngineWorker(std::move(openSession), std::move(openSink))),
      desk_(new DeskWorker(std::move(tools), deskStop_.get_token())) {
    connectEngine();
    connectDesk();
    engineThread_.setObjectName(QStringLiteral("engine"));
    deskThread_.setObjectName(QStringLiteral("desk"));
    engine_->moveToThread(&engineThread_);
    desk_->moveToThread(&deskThread_);
    connect(&engineThread_, &QThread::finished, engine_, &QObject::deleteLater);
    connect(&deskThread_, &QThread::finished, desk_, &QObject::deleteLater);
    engineThread_.start();
    deskThread_.start();
}

ThreadedEngineClient::~ThreadedEngineClient() {
    for (OpenJob& job : jobs_) job.stop.request_stop();
    deskStop_.request_stop();
    // Posted behind what waits, so that every question of before is seen (and dropped, or a save done).
    QMetaObject::invokeMethod(engine_, [this] { engineThread_.quit(); });
    QMetaObject::invokeMethod(desk_, [this] { deskThread_.quit(); });
    engineThread_.wait();
    deskThread_.wait();
}

void ThreadedEngineClient::connectEngine() {
    connect(engine_, &EngineWorker::started, this, &EngineClient::started);
    connect(engine_, &EngineWorker::progressed, this, &EngineClient::progressed);
    connect(engine_, &EngineWorker::previewReady, this, &EngineClient::previewReady);
    connect(engine_, &EngineWorker::noticed, this, &EngineClient::noticed);
    connect(engine_, &EngineWorker::finished, this, [this](const QUuid& job, const ui::TakeReport& report) {
        jobs_.remove(job);
        Q_EMIT finished(job, report);
    });
    connect(engine_, &EngineWorker::failed, this, [this](const QUuid& job, const Error& error) {
        jobs_.remove(job);
        Q_EMIT failed(job, error);
    });
}

void ThreadedEngineClient::connectDesk() {
    connect(desk_, &DeskWorker::modelInspected, this, &EngineClient::modelInspected);
    connect(desk_, &DeskWorker::modelRefused, this, &EngineClient::modelRefused);
    connect(desk_, &DeskWorker::photoInspected, this, &EngineClient::photoInspected);
    connect(desk_, &DeskWorker::photoRefused, this, &EngineClient::photoRefused);
    connect(desk_, &DeskWorker::clipLoaded, this, &EngineClient::clipLoaded);
    connect(desk_, &DeskWorker::clipRefused, this, &EngineClient::clipRefused);
    connect(desk_, &DeskWorker::clipSaved, this, &EngineClient::clipSaved);
    connect(desk_, &DeskWorker::clipNotSaved, this, &EngineClient::clipNotSaved);
}

QUuid ThreadedEngineClient::submit(const GenerationRequest& request, const QString& target) {
    const QUuid id = QUuid::createUuid();
    const OpenJob open{std::stop_source(), std::make_shared<PreviewMailbox>()};
    jobs_.insert(id, open);
    const Job job{id, request, target, open.stop.get_token(), open.previews};
    QMetaObject::invokeMethod(engine_, [worker = engine_, job] { worker->run(job); });
    return id;
}

void ThreadedEngineClient::cancel(const QUuid& job) {
    if (const auto open = jobs_.find(job); open != jobs_.end()) open->stop.request_stop();
}

SharedPreview ThreadedEngineClient::takePreview(const QUuid& job) {
    const auto open = jobs_.find(job);
    return open == jobs_.end() ? nullptr : open->previews->take();
}

void ThreadedEngineClient::inspectModel(const QString& folder) {
    QMetaObject::invokeMethod(desk_, [worker = desk_, folder] { worker->inspectModel(folder); });
}

void ThreadedEngineClient::inspectPhoto(const QString& file) {
    QMetaObject::invokeMethod(desk_, [worker = desk_, file] { worker->inspectPhoto(file); });
}

void ThreadedEngineClient::loadClip(const QString& file) {
    QMetaObject::invokeMethod(desk_, [worker = desk_, file] { worker->loadClip(file); });
}

void ThreadedEngineClient::saveClip(const QString& file, const QString& target) {
    QMetaObject::invokeMethod(desk_, [worker = desk_, file, target] { worker->saveClip(file, target); });
}

}  // namespace mirror::app
