#pragma once

// A session, a sink and a reader of photographs that do what the test says, on whatever thread they are called.

#include <QThread>
#include <atomic>
#include <memory>

#include "engine/core/face.h"
#include "engine/session/session.h"

namespace mirror::app {

// What the test sets before and reads while things run.
struct Script {
    int steps = 5;
    int stepMs = 5;
    int previewsPerStep = 1;
    std::atomic<int> stepsDone = 0;
    std::atomic<int> sessionsMade = 0;
    std::atomic<int> sessionsGone = 0;
    std::atomic<int> photosRead = 0;
    std::atomic<QThread*> sessionThread = nullptr;
    std::atomic<QThread*> sessionGoneOn = nullptr;
    int photoMs = 0;
    Frame photo{2000, 1000, std::vector<std::uint8_t>(2000u * 1000u * 3u, 90)};
};

class FakeSession : public engine::Session {
public:
    explicit FakeSession(Script& script) : script_(script) {
        ++script_.sessionsMade;
        script_.sessionThread = QThread::currentThread();
    }
    ~FakeSession() override {
        ++script_.sessionsGone;
        script_.sessionGoneOn = QThread::currentThread();
    }

    Result<GenerationRequest> prepare(const GenerationRequest& request, const Observer&, std::stop_token) override {
        return request;
    }

    Result<engine::GenerationReport> generate(const GenerationRequest& request, const engine::RunFiles&,
                                              VideoSink& sink, const Observer& observer,
                                              std::stop_token stop) override {
        const auto preview = std::make_shared<PreviewClip>();
        preview->frames.assign(3, Frame{12, 8, std::vector<std::uint8_t>(12u * 8u * 3u, 50)});
        for (int step = 1; step <= script_.steps; ++step) {
            if (stop.stop_requested()) return Error{ErrorCode::Cancelled, "Stopped by the user."};
            QThread::msleep(static_cast<unsigned long>(script_.stepMs));
            for (int i = 0; i < script_.previewsPerStep; ++i) observer.tell(SharedPreview(preview));
            observer.tell(Progress{Stage::Denoise, step, script_.steps, 0.1});
            ++script_.stepsDone;
        }
        observer.tell(Notice{"The prompt was cut to 226 tokens."});
        try {
            sink.begin(request.video, "{}");
            sink.finish();
        } catch (const EngineError& error) {
            return error.error();
        }
        engine::GenerationReport report;
        report.steps_run = script_.steps;
        report.random_weights = true;
        return report;
    }

    Result<engine::GenerationReport> decode(const std::filesystem::path&, const std::filesystem::path&,
                                            const std::string&, Precision, VideoSink&, const Observer&,
                                            std::stop_token) override {
        return Error{ErrorCode::Internal, "The window never decodes."};
    }
    void release_memory() override {}

private:
    Script& script_;
};

// Refuses to begin if it is told so.
class FakeSink : public VideoSink {
public:
    explicit FakeSink(bool refuses) : refuses_(refuses) {}
    void begin(const VideoSpec&, const std::string&) override {
        if (refuses_) throw EngineError(ErrorCode::WriteFailed, "The disk is full.");
    }
    void write(const Frame&) override {}
    void finish() override {}

private:
    bool refuses_;
};

class FakeFaceReader : public FaceReader {
public:
    explicit FakeFaceReader(Script& script) : script_(script) {}

    Result<Frame> load(const std::filesystem::path& photo) override {
        if (photo.extension() == ".txt") return Error{ErrorCode::MalformedFile, photo.string() + " is no photograph."};
        QThread::msleep(static_cast<unsigned long>(script_.photoMs));
        ++script_.photosRead;
        return script_.photo;
    }
    Result<PhotoFaces> find(const std::filesystem::path& photo) override {
        return PhotoFaces{photo, script_.photo.width, script_.photo.height, {{900, 400, 1100, 600, 0.9, {}}}};
    }
    Result<std::vector<FaceBox>> find(const Frame&) override {
        return std::vector<FaceBox>{{900, 400, 1100, 600, 0.9, {}}};
    }
    Result<FaceCrops> crops(const Frame&, const FaceBox&) override {
        return FaceCrops{{112, 112, std::vector<std::uint8_t>(112u * 112u * 3u)},
                         {224, 224, std::vector<std::uint8_t>(224u * 224u * 3u)}};
    }
    Result<ReferenceFace> reference(const ReferencePhoto&, ReferenceCrop, double, int) override {
        return Error{ErrorCode::Internal, "The window never asks."};
    }

private:
    Script& script_;
};

}  // namespace mirror::app
