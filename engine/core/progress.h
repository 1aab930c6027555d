#pragma once

// What a run tells its observer while it works.

#include <functional>
#include <string>
#include <variant>

#include "engine/core/frame.h"

namespace mirror {

enum class Stage { ReadReferences, LoadWeights, ReadIdentity, EncodePrompt, Denoise, Decode, Write };

const char* to_text(Stage stage);  // "denoise", as in the JSON events

struct Progress {
    Stage stage = Stage::LoadWeights;
    int step = 0;
    int steps = 0;
    double seconds_left = -1.0;  // Of the whole run; negative while unknown.
};

// Something the person should know though the run goes on.
struct Notice {
    std::string detail;
};

using ProgressEvent = std::variant<Progress, SharedPreview, Notice>;

// Called on the thread that runs generate(); must return quickly and must not throw.
using ProgressSink = std::function<void(const ProgressEvent&)>;

// Who watches a run, and how closely. Changes nothing in the result.
struct Observer {
    ProgressSink tell;
    int preview_every_steps = 1;  // 0 turns previews off.
};

}  // namespace mirror
