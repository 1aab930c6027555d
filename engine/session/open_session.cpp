#include "engine/session/error_boundary.h"
#include "engine/session/generate.h"
#include "engine/session/session.h"

namespace mirror::engine {

namespace {

// Loads each model for the stage that needs it. With Models::Release it goes after the stage, and the largest one
// decides how much memory a run takes.
class LocalSession : public Session {
public:
    LocalSession(std::unique_ptr<FaceReader> faces, Models models)
        : faces_(std::move(faces)), shelf_(models == Models::Keep ? Keeping::WhatFits : Keeping::Nothing) {}

    Result<GenerationRequest> prepare(const GenerationRequest& request, const Observer& observer,
                                      std::stop_token stop) override {
        return guarded_value<GenerationRequest>([&] {
            RunContext run(observer, std::move(stop));
            return prepare_clip(request, *faces_, shelf_, run);
        });
    }

    Result<GenerationReport> generate(const GenerationRequest& request, const RunFiles& files, VideoSink& sink,
                                      const Observer& observer, std::stop_token stop) override {
        return guarded_value<GenerationReport>([&] {
            RunContext run(observer, std::move(stop));
            return generate_clip(request, files, *faces_, sink, shelf_, run);
        });
    }

    Result<GenerationReport> decode(const std::filesystem::path& latents, const std::filesystem::path& model,
                                    const std::string& device, Precision precision, VideoSink& sink,
                                    const Observer& observer, std::stop_token stop) override {
        return guarded_value<GenerationReport>([&] {
            RunContext run(observer, std::move(stop));
            return decode_clip({latents, model, device, precision}, sink, shelf_, run);
        });
    }

    void release_memory() override { shelf_.clear(); }

private:
    std::unique_ptr<FaceReader> faces_;
    ModelShelf shelf_;
};

}  // namespace

std::unique_ptr<Session> open_session(std::unique_ptr<FaceReader> faces, Models models) {
    return std::make_unique<LocalSession>(std::move(faces), models);
}

}  // namespace mirror::engine
