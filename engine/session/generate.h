#pragma once

// The two ways to a video: from a request, which may be prepared before, and from latents that an earlier run saved.
// They throw EngineError.

#include "engine/session/run_context.h"
#include "engine/session/run_models.h"
#include "engine/session/session.h"

namespace mirror::engine {

// The request as generate_clip() will run it; no weight is read.
GenerationRequest prepare_clip(const GenerationRequest& request, FaceReader& faces, ModelShelf& shelf, RunContext& run);

GenerationReport generate_clip(const GenerationRequest& request, const RunFiles& files, FaceReader& faces,
                               VideoSink& sink, ModelShelf& shelf, RunContext& run);

struct DecodeRequest {
    std::filesystem::path latents;
    std::filesystem::path model;
    std::string device;
    Precision precision = Precision::Fp32;
};

GenerationReport decode_clip(const DecodeRequest& request, VideoSink& sink, ModelShelf& shelf, RunContext& run);

}  // namespace mirror::engine
