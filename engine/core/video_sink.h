#pragma once

#include <string>

#include "engine/core/frame.h"

namespace mirror {

// Takes the frames of one video (or the one frame of a picture) in presentation order.
//
// Nothing becomes visible under the final name before finish(), which verifies what was written. Destroying a sink that
// was not finished removes its temporary file. Every function throws EngineError (WriteFailed) naming the file.
class VideoSink {
public:
    virtual ~VideoSink() = default;

    // `recipe` is the JSON of the request; it goes into the file's metadata.
    virtual void begin(const VideoSpec& spec, const std::string& recipe) = 0;
    virtual void write(const Frame& frame) = 0;
    virtual void finish() = 0;
};

}  // namespace mirror
