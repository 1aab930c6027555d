#include "engine/session/run_context.h"

#include "engine/core/log.h"
#include "engine/core/result.h"
#include "engine/tensor/recycled_memory.h"

namespace mirror::engine {

void RunContext::tell(const ProgressEvent& event) const {
    if (observer_.tell) observer_.tell(event);
}

double RunContext::seconds_in_stage() const { return std::chrono::duration<double>(Clock::now() - entered_).count(); }

void RunContext::finish() {
    release_recycled_memory();
    if (is_in_stage_) times_.push_back({progress_.stage, seconds_in_stage()});
    is_in_stage_ = false;
}

void RunContext::enter(Stage stage, int steps) {
    stop_if_asked();
    finish();
    is_in_stage_ = true;
    entered_ = Clock::now();
    log(LogLevel::Info, "session", std::string("Beginning the stage ") + to_text(stage));
    progress_ = {stage, 0, steps, -1};
    tell(progress_);
}

void RunContext::advance(int step, double seconds_left) {
    progress_.step = step;
    progress_.seconds_left = seconds_left;
    tell(progress_);
}

void RunContext::warn(const std::string& sentence) {
    log(LogLevel::Warning, "session", sentence);
    tell(Notice{sentence});
}

void RunContext::show(SharedPreview preview) { tell(std::move(preview)); }

bool RunContext::wants_preview(int step) const {
    return observer_.tell && observer_.preview_every_steps > 0 && step % observer_.preview_every_steps == 0;
}

void RunContext::stop_if_asked() const {
    if (stop_.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
}

}  // namespace mirror::engine
