// Preloaded into the program: lets one allocation fail, or all from one on, as if there were no memory left.
//
// MIRROR_FAULT_LEAST: allocations of fewer bytes are neither counted nor refused.
// MIRROR_FAULT_AT: which one fails, counted from 1 since the program has installed its signal handling; 0: none.
// MIRROR_FAULT_ALWAYS: set: all that follow fail as well.
// MIRROR_FAULT_COUNT: a descriptor that gets the number of allocations when the program ends.
//
// Counting begins with the call that sets SIGXFSZ aside, which the program makes before anything else of its own: what
// the loader and the libraries' static constructors allocate before cannot be reported by a program that does not run
// yet.

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

std::atomic<bool> armed{false};
std::atomic<long> counted{0};
std::size_t least = 0;
long fails_at = 0;
bool always = false;

long number_in(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

bool is_refused(std::size_t size) {
    if (size < least || !armed.load(std::memory_order_relaxed)) return false;
    const long number = counted.fetch_add(1, std::memory_order_relaxed) + 1;
    const bool refused = fails_at > 0 && (always ? number >= fails_at : number == fails_at);
    if (refused) errno = ENOMEM;
    return refused;
}

void write_count() {
    armed = false;
    if (std::getenv("MIRROR_FAULT_COUNT") == nullptr) return;
    char text[32];
    const int length = std::snprintf(text, sizeof text, "%ld\n", counted.load());
    if (::write(static_cast<int>(number_in("MIRROR_FAULT_COUNT")), text, static_cast<std::size_t>(length)) < 0) return;
}

void arm() {
    if (armed) return;
    least = static_cast<std::size_t>(number_in("MIRROR_FAULT_LEAST"));
    fails_at = number_in("MIRROR_FAULT_AT");
    always = std::getenv("MIRROR_FAULT_ALWAYS") != nullptr;
    std::atexit(write_count);
    armed = true;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) { return is_refused(size) ? nullptr : __libc_malloc(size); }

void* calloc(std::size_t count, std::size_t size) {
    return is_refused(count * size) ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* old, std::size_t size) { return is_refused(size) ? nullptr : __libc_realloc(old, size); }

void* memalign(std::size_t alignment, std::size_t size) {
    return is_refused(size) ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** target, std::size_t alignment, std::size_t size) {
    if (is_refused(size)) return ENOMEM;
    void* const memory = __libc_memalign(alignment, size);
    if (memory == nullptr) return ENOMEM;
    *target = memory;
    return 0;
}

using Handler = void (*)(int);

Handler signal(int number, Handler handler) noexcept {
    static const auto original = reinterpret_cast<Handler (*)(int, Handler)>(::dlsym(RTLD_NEXT, "signal"));
    const Handler before = original(number, handler);
    if (number == SIGXFSZ) arm();
    return before;
}
}
