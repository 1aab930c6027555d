#pragma once

// Large tensors on the CPU from memory that earlier ones had. A fresh piece comes page by page from the system, which
// clears every page first: in a transformer block at true size that takes a fifteenth of the time, over and over for
// tensors of the same few sizes.
//
// Recycling never raises the highest use of memory: what is kept for later and what is in use together stay below the
// most that was in use at once, and what is kept below 512 MiB.

#include <cstdint>

namespace mirror::engine {

// From here on libtorch's CPU tensors come from recycled memory, for the rest of the program. Called at its start.
void recycle_cpu_memory();

// Hands back to the system what is kept for later: at the end of a run.
void release_recycled_memory();

struct RecycledMemory {
    std::uint64_t in_use = 0;  // Of tensors large enough to be recycled.
    std::uint64_t kept = 0;
    std::uint64_t most_in_use = 0;
};
RecycledMemory recycled_memory();

}  // namespace mirror::engine
