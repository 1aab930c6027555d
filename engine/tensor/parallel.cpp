#include "engine/tensor/parallel.h"

#include <ATen/Parallel.h>
#include <c10/util/ParallelGuard.h>

#include <atomic>
#include <exception>

#include "engine/kernels/cpu/thread_team.h"

namespace mirror::engine {

void parallel_for(std::int64_t count, std::int64_t piece,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& work) {
    if (count <= 0) return;
    if (count <= piece || at::in_parallel_region() || at::get_num_threads() == 1) {
        const c10::ParallelGuard guard(true);
        work(0, count);
        return;
    }
    std::atomic_flag has_failed = ATOMIC_FLAG_INIT;
    std::exception_ptr failure;
    kernels::share_out(count, piece, [&](std::int64_t begin, std::int64_t end) {
        const c10::ParallelGuard guard(true);
        try {
            work(begin, end);
        } catch (const std::exception&) {
            if (!has_failed.test_and_set()) failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
}

}  // namespace mirror::engine
