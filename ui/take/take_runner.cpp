#include "ui/take/take_runner.h"

#include <QDateTime>
#include <QDir>
#include <cmath>

namespace mirror::ui {

TakeRunner::TakeRunner(EngineClient& client, QString folder, QObject* parent)
    : QObject(parent), client_(client), folder_(std::move(folder)) {
    connectClient();
}

void TakeRunner::connectClient() {
    const auto mine = [this](const QUuid& job) { return isBusy() && job == job_; };
    connect(&client_, &EngineClient::started, this, [this, mine](const QUuid& job) {
        if (!mine(job) || stage_ != Stage::Waiting) return;
        clock_.start();
        enter(Stage::Running);
    });
    connect(&client_, &EngineClient::progressed, this, [this, mine](const QUuid& job, const Progress& progress) {
        if (!mine(job)) return;
        progress_ = progress;
        Q_EMIT progressed();
    });
    connect(&client_, &EngineClient::previewReady, this, &TakeRunner::takePreview);
    connect(&client_, &EngineClient::noticed, this, [this, mine](const QUuid& job, const QString& detail) {
        if (mine(job)) Q_EMIT noticed(detail);
    });
    connect(&client_, &EngineClient::finished, this, [this, mine](const QUuid& job, const TakeReport& report) {
        if (mine(job)) finish(report);
    });
    connect(&client_, &EngineClient::failed, this, [this, mine](const QUuid& job, const Error& error) {
        if (mine(job)) fail(error);
    });
    connect(&client_, &EngineClient::clipLoaded, this, [this](const QString& file, const SharedClip& clip) {
        if (stage_ != Stage::Opening || file != report_->file) return;
        enter(Stage::Idle);
        Q_EMIT clipArrived(clip);
    });
    connect(&client_, &EngineClient::clipRefused, this, [this](const QString& file, const Error& error) {
        if (stage_ == Stage::Opening && file == report_->file) fail(error);
    });
}

void TakeRunner::start(const GenerationRequest& request) {
    if (isBusy()) return;
    ++number_;
    progress_.reset();
    clock_.invalidate();
    if (!QDir().mkpath(folder_)) {
        Q_EMIT failed(tr("The folder %1 for takes cannot be made.").arg(folder_));
        return;
    }
    job_ = client_.submit(request, nextFile(request));
    enter(Stage::Waiting);
}

void TakeRunner::cancel() {
    if (stage_ != Stage::Waiting && stage_ != Stage::Running) return;
    client_.cancel(job_);
    enter(Stage::Cancelling);
}

void TakeRunner::enter(Stage stage) {
    stage_ = stage;
    Q_EMIT changed();
}

void TakeRunner::takePreview(const QUuid& job) {
    if (job != job_) return;
    const SharedPreview preview = client_.takePreview(job);
    if (preview && stage_ == Stage::Running) Q_EMIT previewArrived(preview);
}

void TakeRunner::finish(const TakeReport& report) {
    report_ = report;
    enter(Stage::Opening);
    client_.loadClip(report.file);
}

void TakeRunner::fail(const Error& error) {
    enter(Stage::Idle);
    if (error.code == ErrorCode::Cancelled) {
        Q_EMIT cancelled();
    } else {
        Q_EMIT failed(QString::fromStdString(error.detail));
    }
}

QString TakeRunner::nextFile(const GenerationRequest& request) const {
    const QString moment = QDateTime::currentDateTime().toString(QStringLiteral("yyyyMMdd-HHmmss"));
    const QString name = QStringLiteral("take-%1-%2").arg(moment).arg(request.sampling.seed);
    const QDir folder(folder_);
    QString file = folder.filePath(name + QStringLiteral(".mp4"));
    for (int copy = 2; QFile::exists(file); ++copy) {
        file = folder.filePath(QStringLiteral("%1-%2.mp4").arg(name).arg(copy));
    }
    return file;
}

QString timeLeft(double seconds) {
    if (seconds < 0 || !std::isfinite(seconds)) return {};
    const auto whole = static_cast<qint64>(std::ceil(seconds));
    if (whole < 60) return TakeRunner::tr("%1 s left").arg(whole);
    if (whole < 3600) return TakeRunner::tr("%1 min %2 s left").arg(whole / 60).arg(whole % 60);
    return TakeRunner::tr("%1 h %2 min left").arg(whole / 3600).arg(whole % 3600 / 60);
}

QString sentenceOf(const Progress& progress) {
    const bool counted = progress.steps > 0;
    const auto of = [&](const QString& words) {
        return counted ? TakeRunner::tr("%1 %2 of %3").arg(words).arg(progress.step).arg(progress.steps) : words;
    };
    switch (progress.stage) {
        case mirror::Stage::ReadReferences:
            return TakeRunner::tr("Reading the photographs");
        case mirror::Stage::LoadWeights:
            return TakeRunner::tr("Loading the model");
        case mirror::Stage::ReadIdentity:
            return TakeRunner::tr("Reading the face");
        case mirror::Stage::EncodePrompt:
            return TakeRunner::tr("Reading the prompt");
        case mirror::Stage::Denoise:
            return counted ? of(TakeRunner::tr("Denoising step")) : TakeRunner::tr("Denoising");
        case mirror::Stage::Decode:
            return counted ? of(TakeRunner::tr("Making frames")) : TakeRunner::tr("Making frames");
        case mirror::Stage::Write:
            return TakeRunner::tr("Writing the clip");
    }
    return {};
}

}  // namespace mirror::ui
