#pragma once

// From denoised latents to the frames of a sink, chunk by chunk, so that memory does not grow with the length of the
// clip.

#include <ATen/ATen.h>

#include <string>

#include "engine/core/frame.h"
#include "engine/core/request.h"
#include "engine/core/video_sink.h"
#include "engine/session/latents_file.h"
#include "engine/session/model_folder.h"
#include "engine/session/model_info.h"
#include "engine/session/run_context.h"
#include "engine/session/run_models.h"

namespace mirror::engine {

struct ClipDescription {
    VideoSpec spec;
    std::string recipe;
    Decoding decoding = Decoding::Whole;
};

// What saved latents become: as their recipe says, or by their shape alone if they have none.
ClipDescription describe_clip(const SavedLatents& saved, const ModelFolder& folder, const ModelInfo& model);

// latents [1, C, F, h, w] in the model's space, padding included.
void decode_video(RunModels& models, const at::Tensor& latents, const ClipDescription& clip, VideoSink& sink,
                  RunContext& run);

}  // namespace mirror::engine
