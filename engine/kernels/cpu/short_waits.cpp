#include "engine/kernels/cpu/short_waits.h"

#include <sched.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <string_view>

namespace mirror::kernels {

namespace {

// Turns of the loop: some ten microseconds, as long as it takes to wake a thread that sleeps.
constexpr char kSetting[] = "GOMP_SPINCOUNT=3000";

bool begins_with(const char* text, std::string_view start) { return std::string_view(text).starts_with(start); }

}  // namespace

bool waits_shortly() { return std::getenv("GOMP_SPINCOUNT") != nullptr; }

bool is_to_wait_shortly(const char* const* environment, int processors) {
    if (processors < 2) return false;
    for (; *environment != nullptr; ++environment) {
        if (begins_with(*environment, "GOMP_SPINCOUNT=") || begins_with(*environment, "OMP_WAIT_POLICY=")) return false;
        if (std::string_view(*environment) == "OMP_NUM_THREADS=1") return false;
    }
    return true;
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

int processors_of_this_process() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Called by the loader before it initialises any library: nothing may be used here but system calls and own memory.
void start_again(int /*count*/, char** arguments, char** environment) {
    if (!is_to_wait_shortly(environment, processors_of_this_process())) return;
    // Started by way of the loader's own file, that would be started again instead. A program with others' rights
    // keeps away from its own file's name.
    if (::getauxval(AT_BASE) == 0 || ::getauxval(AT_SECURE) != 0) return;
    static std::array<char*, 2048> longer{};
    std::size_t size = 0;
    for (; environment[size] != nullptr; ++size) {
        if (size + 2 >= longer.size()) return;
        longer[size] = environment[size];
    }
    static std::array<char, sizeof(kSetting)> setting = std::to_array(kSetting);
    longer[size] = setting.data();
    longer[size + 1] = nullptr;
    // By its own name, which the system shows; "/proc/self/exe" would be called "exe".
    static std::array<char, PATH_MAX> program{};
    const ssize_t length = ::readlink("/proc/self/exe", program.data(), program.size() - 1);
    if (length > 0) ::execve(program.data(), arguments, longer.data());  // If it fails, the program goes on as it is.
}

using BeforeLibraries = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] const BeforeLibraries before_libraries = start_again;

}  // namespace

#endif

}  // namespace mirror::kernels
