#pragma once

// The engine in this process: one thread for runs, one for photographs, models and clips.

#include <QHash>
#include <QThread>
#include <memory>
#include <stop_token>

#include "app/bridge/desk_worker.h"
#include "app/bridge/engine_worker.h"
#include "ui/ports/engine_client.h"

namespace mirror::app {

// Destroying it stops every job within one step and waits for both threads; saving a clip is finished first.
class ThreadedEngineClient : public ui::EngineClient {
    Q_OBJECT

public:
    ThreadedEngineClient(EngineWorker::SessionFactory openSession, EngineWorker::SinkFactory openSink, DeskTools tools,
                         QObject* parent = nullptr);
    ~ThreadedEngineClient() override;

    QUuid submit(const GenerationRequest& request, const QString& target) override;
    void cancel(const QUuid& job) override;
    SharedPreview takePreview(const QUuid& job) override;
    void inspectModel(const QString& folder) override;
    void inspectPhoto(const QString& file) override;
    void loadClip(const QString& file) override;
    void saveClip(const QString& file, const QString& target) override;

private:
    struct OpenJob {
        std::stop_source stop;
        std::shared_ptr<PreviewMailbox> previews;
    };

    void connectEngine();
    void connectDesk();

    QHash<QUuid, OpenJob> jobs_;
    std::stop_source deskStop_;
    EngineWorker* engine_;  // Deleted by its thread when that ends, as is the desk.
    DeskWorker* desk_;
    QThread engineThread_;
    QThread deskThread_;
};

}  // namespace mirror::app
