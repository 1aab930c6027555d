#pragma once

// SIGINT and SIGTERM become a stop token. The program then ends at the next step and cleans up after itself.

#include <stop_token>
#include <thread>

namespace mirror::cli {

class StopSignals {
public:
    StopSignals();  // Before any other thread is started: the signals are blocked for those that follow.
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

    std::stop_token token() const { return source_.get_token(); }

private:
    std::stop_source source_;
    std::jthread listener_;
};

}  // namespace mirror::cli
