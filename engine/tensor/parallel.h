#pragma once

// Work of the engine's own kernels on libtorch's threads. at::parallel_for does not do that outside libtorch: it is a
// template that runs everything on the calling thread where it is compiled without OpenMP, and it gives every thread
// one fixed part.

#include <cstdint>
#include <functional>

namespace mirror::engine {

// Calls work(begin, end) for ranges of up to `piece` (at least 1) that cover 0 to count - 1, on as many threads as
// libtorch would use here: one inside another parallel region. The first std::exception that `work` throws is thrown
// here, after all threads have stopped.
void parallel_for(std::int64_t count, std::int64_t piece,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& work);

}  // namespace mirror::engine
