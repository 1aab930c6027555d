#pragma once

// What the kernel says of this program's memory, mapped files included.

#include <malloc.h>

#include <fstream>
#include <string>

namespace mirror::engine::testing {

inline double status_bytes(const std::string& wanted) {
    std::ifstream status("/proc/self/status");
    std::string key;
    while (status >> key) {
        double kilobytes = 0;
        if (key == wanted && status >> kilobytes) return kilobytes * 1024;
    }
    return 0;
}

inline double resident_memory() { return status_bytes("VmRSS:"); }
inline double peak_memory() { return status_bytes("VmHWM:"); }
// From here on the peak is that of what follows, and freed tensors go back to the system, as the programs have it.
inline void reset_peak_memory() {
    mallopt(M_MMAP_THRESHOLD, 1 << 18);
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace mirror::engine::testing
