#include "app/cli/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

namespace mirror::cli {

namespace {

constexpr int kExitStopped = 130;
constexpr std::chrono::seconds kPatience{3};  // A signal that comes this long after the first ends the program at once.

sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void listen(std::stop_source source, const std::stop_token& over) {
    const sigset_t signals = stop_signals();
    const timespec wait{0, 100'000'000};
    std::chrono::steady_clock::time_point first;
    while (!over.stop_requested()) {
        if (sigtimedwait(&signals, nullptr, &wait) < 0) continue;
        if (source.request_stop())
            first = std::chrono::steady_clock::now();
        else if (std::chrono::steady_clock::now() - first > kPatience)
            ::_exit(kExitStopped);
    }
}

}  // namespace

StopSignals::StopSignals() {
    const sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // A closed standard output is no reason to leave temporaries behind.
    std::signal(SIGXFSZ, SIG_IGN);  // A file too large becomes a write error with a sentence.
    listener_ = std::jthread([source = source_](const std::stop_token& over) { listen(source, over); });
}

StopSignals::~StopSignals() = default;

}  // namespace mirror::cli
