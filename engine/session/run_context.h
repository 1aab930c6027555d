#pragma once

// What every part of one run shares: whom to tell, when to stop, and how long each stage took.

#include <chrono>
#include <stop_token>
#include <vector>

#include "engine/core/progress.h"
#include "engine/session/session.h"

namespace mirror::engine {

class RunContext {
public:
    RunContext(const Observer& observer, std::stop_token stop) : observer_(observer), stop_(std::move(stop)) {}

    // Ends the stage before it, and says that `stage` begins.
    void enter(Stage stage, int steps = 1);
    // `step` of the stage is done; seconds of the whole run, negative while unknown.
    void advance(int step, double seconds_left = -1);
    void finish();

    void warn(const std::string& sentence);
    void show(SharedPreview preview);
    bool wants_preview(int step) const;  // Counted from 1.

    // EngineError (Cancelled). Called at least once a step, tile and frame.
    void stop_if_asked() const;
    const std::stop_token& stop() const { return stop_; }

    double seconds_in_stage() const;
    const std::vector<StageTime>& times() const { return times_; }

private:
    using Clock = std::chrono::steady_clock;
    void tell(const ProgressEvent& event) const;

    const Observer& observer_;
    std::stop_token stop_;
    Progress progress_;
    bool is_in_stage_ = false;
    Clock::time_point entered_;
    std::vector<StageTime> times_;
};

}  // namespace mirror::engine
