#pragma once

// One run from request to frames, on the caller's thread. Names no torch type, so that windows and programs may include
// it.

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/progress.h"
#include "engine/core/request.h"
#include "engine/core/result.h"
#include "engine/core/video_sink.h"

namespace mirror::engine {

struct StageTime {
    Stage stage = Stage::LoadWeights;
    double seconds = 0;
};

struct GenerationReport {
    std::filesystem::path latents;  // Where the denoised latents were saved before decoding.
    std::vector<StageTime> times;
    int steps_run = 0;
    bool random_weights = false;  // The checkpoint says it was made by `models init`.
};

struct RunFiles {
    std::filesystem::path latents;  // Empty: a name of its own in the cache folder.
};

// Holds the loaded models of one device. Made, used and destroyed on one thread; only the stop source behind the token
// may be touched from elsewhere. No exception leaves it; a stop ends as ErrorCode::Cancelled within one step, tile or
// frame.
class Session {
public:
    virtual ~Session() = default;

    // Whatever of generate() needs no weight: what it would refuse is refused, the faces of the references are looked
    // for, and the request comes back as it will be run, with the adapter that was found and the decoding that the
    // memory allows.
    virtual Result<GenerationRequest> prepare(const GenerationRequest& request, const Observer& observer,
                                              std::stop_token stop) = 0;

    virtual Result<GenerationReport> generate(const GenerationRequest& request, const RunFiles& files, VideoSink& sink,
                                              const Observer& observer, std::stop_token stop) = 0;

    // Makes the video of saved latents again; the recipe travels from the latents file to the sink.
    virtual Result<GenerationReport> decode(const std::filesystem::path& latents, const std::filesystem::path& model,
                                            const std::string& device, Precision precision, VideoSink& sink,
                                            const Observer& observer, std::stop_token stop) = 0;

    // Gives memory back; the next run loads again what it needs.
    virtual void release_memory() = 0;
};

// What happens to a model after its stage: it is let go, so that one run takes as little memory as it can, or kept for
// the next run on the same files at the same precision, as far as the budget and the machine have room.
enum class Models { Release, Keep };

// `faces` reads the reference photographs; it is used on the session's thread only.
std::unique_ptr<Session> open_session(std::unique_ptr<FaceReader> faces, Models models = Models::Release);

}  // namespace mirror::engine
