#include "app/bridge/engine_worker.h"

#include "ui/ports/paths.h"

namespace mirror::app {

namespace {

constexpr int kTellEveryMs = 33;

template <typename... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

EngineWorker::EngineWorker(SessionFactory openSession, SinkFactory openSink)
    : openSession_(std::move(openSession)), openSink_(std::move(openSink)) {}

void EngineWorker::run(const Job& job) {
    if (job.stop.stop_requested()) {
        Q_EMIT failed(job.id, {ErrorCode::Cancelled, "The take was cancelled before it began."});
        return;
    }
    Q_EMIT started(job.id);
    const Result<ui::TakeReport> made = make(job);
    if (made) {
        Q_EMIT finished(job.id, made.value());
    } else {
        Q_EMIT failed(job.id, made.error());
    }
}

Status EngineWorker::openSession() {
    if (session_) return success();
    Result<std::unique_ptr<engine::Session>> opened = openSession_();
    if (!opened) return opened.error();
    session_ = std::move(opened).value();
    return success();
}

Result<ui::TakeReport> EngineWorker::make(const Job& job) {
    if (const Status opened = openSession(); !opened) return opened.error();
    sinceTold_.invalidate();
    QElapsedTimer clock;
    clock.start();
    try {
        const std::unique_ptr<VideoSink> sink = openSink_(job.target);
        const Observer observer{[this, &job](const ProgressEvent& event) { forward(job, event); }, 1};
        const auto report = session_->generate(job.request, {}, *sink, observer, job.stop);
        if (!report) return report.error();
        return ui::TakeReport{job.target, ui::textOf(report.value().latents), report.value().steps_run,
                              clock.elapsed() / 1000.0, report.value().random_weights};
    } catch (const EngineError& error) {  // Of the sink: the session lets none out.
        return error.error();
    }
}

bool EngineWorker::isWorthTelling(const Progress& progress) {
    const bool same = sinceTold_.isValid() && progress.stage == toldStage_;
    if (same && progress.step != progress.steps && sinceTold_.elapsed() < kTellEveryMs) return false;
    toldStage_ = progress.stage;
    sinceTold_.start();
    return true;
}

void EngineWorker::forward(const Job& job, const ProgressEvent& event) {
    std::visit(Overloaded{[&](const Progress& progress) {
                              if (isWorthTelling(progress)) Q_EMIT progressed(job.id, progress);
                          },
                          [&](const SharedPreview& preview) {
                              if (preview && job.previews->put(preview)) Q_EMIT previewReady(job.id);
                          },
                          [&](const Notice& notice) { Q_EMIT noticed(job.id, QString::fromStdString(notice.detail)); }},
               event);
}

}  // namespace mirror::app
