#pragma once

// The threads that share the work of one call. They are libtorch's own (its OpenMP runtime), so that the two never keep
// more threads busy than were asked for. A build without that runtime works on the calling thread alone.

#include <cstdint>
#include <functional>

namespace mirror::kernels {

// Calls work(begin, end) for ranges of up to `piece` that cover 0 to count - 1. A thread takes the next range when it
// is done with one, so that a thread that is held up by other programs holds nobody else up. `work` throws nothing.
void share_out(std::int64_t count, std::int64_t piece,
               const std::function<void(std::int64_t begin, std::int64_t end)>& work);

}  // namespace mirror::kernels
