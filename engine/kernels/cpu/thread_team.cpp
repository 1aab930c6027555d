#include "engine/kernels/cpu/thread_team.h"

#include <algorithm>
#include <atomic>

#if defined(_OPENMP) && defined(__SANITIZE_THREAD__)
#include <omp.h>

#include <thread>
#include <vector>
#endif

namespace mirror::kernels {

namespace {

// Runs `part` on every thread of a team and waits for all of them.
void run_on_all(const std::function<void()>& part) {
#if defined(_OPENMP) && defined(__SANITIZE_THREAD__)
    // That sanitizer knows nothing of the runtime's own waiting, so that it would report every part. It knows this.
    // Never fewer than two, so that there is something to see.
    std::vector<std::thread> team(static_cast<std::size_t>(std::max(omp_get_max_threads(), 2) - 1));
    for (std::thread& member : team) member = std::thread(part);
    part();
    for (std::thread& member : team) member.join();
#else
#if defined(_OPENMP)
#pragma omp parallel
#endif
    part();
#endif
}

}  // namespace

void share_out(std::int64_t count, std::int64_t piece,
               const std::function<void(std::int64_t begin, std::int64_t end)>& work) {
    std::atomic<std::int64_t> next{0};
    run_on_all([&] {
        for (std::int64_t begin = next.fetch_add(piece); begin < count; begin = next.fetch_add(piece))
            work(begin, std::min(begin + piece, count));
    });
}

}  // namespace mirror::kernels
