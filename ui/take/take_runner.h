#pragma once

// One run from Generate to the clip in memory: what state it is in, what the engine said last. Knows no widget.

#include <QElapsedTimer>
#include <QObject>
#include <QUuid>
#include <optional>

#include "ui/ports/engine_client.h"

namespace mirror::ui {

class TakeRunner : public QObject {
    Q_OBJECT

public:
    // Idle: nothing runs. Opening: the file is finished and is being read back.
    enum class Stage { Idle, Waiting, Running, Cancelling, Opening };

    // Takes are written into `folder`, made on first use.
    TakeRunner(EngineClient& client, QString folder, QObject* parent = nullptr);

    Stage stage() const { return stage_; }
    bool isBusy() const { return stage_ != Stage::Idle; }
    int number() const { return number_; }
    const std::optional<Progress>& progress() const { return progress_; }
    // Of the last run that succeeded.
    const std::optional<TakeReport>& report() const { return report_; }
    double secondsRunning() const { return clock_.isValid() ? clock_.elapsed() / 1000.0 : 0; }

    void start(const GenerationRequest& request);
    void cancel();

Q_SIGNALS:
    void changed();
    void progressed();
    void previewArrived(const mirror::SharedPreview& preview);
    void clipArrived(const mirror::ui::SharedClip& clip);
    void noticed(const QString& sentence);
    void cancelled();
    void failed(const QString& sentence);

private:
    void connectClient();
    void enter(Stage stage);
    void takePreview(const QUuid& job);
    void finish(const TakeReport& report);
    void fail(const Error& error);
    QString nextFile(const GenerationRequest& request) const;

    EngineClient& client_;
    QString folder_;
    Stage stage_ = Stage::Idle;
    QUuid job_;
    int number_ = 0;
    std::optional<Progress> progress_;
    std::optional<TakeReport> report_;
    QElapsedTimer clock_;
};

// "41 s left", "3 min 20 s left"; empty while unknown.
QString timeLeft(double seconds);
// What is being done, in the artist's words: "Denoising step 18 of 50".
QString sentenceOf(const Progress& progress);

}  // namespace mirror::ui
