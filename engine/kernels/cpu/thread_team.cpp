#include "engine/kernels/cpu/thread_team.h"

#include <algorithm>
#include <atomic>

namespace mirror::kernels {

void share_out(std::int64_t count, std::int64_t piece,
               const std::function<void(std::int64_t begin, std::int64_t end)>& work) {
    std::atomic<std::int64_t> next{0};
    const auto take_until_none_is_left = [&] {
        for (std::int64_t begin = next.fetch_add(piece); begin < count; begin = next.fetch_add(piece))
            work(begin, std::min(begin + piece, count));
    };
#if defined(_OPENMP)
#pragma omp parallel
#endif
    take_until_none_is_left();
}

}  // namespace mirror::kernels
