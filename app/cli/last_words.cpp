#include "app/cli/last_words.h"

#include <cxxabi.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <typeinfo>

#include "app/cli/console.h"

namespace mirror::cli {

namespace {

constexpr int kExitFailed = 1;
constexpr const char* kUnknownReason =
    "magic-mirror: the program failed for a reason it does not know; please report what you asked it for\n";
alignas(16) std::array<char, 1 << 16> signal_stack;  // A full stack is one of the reasons to come here.

bool wants_core = false;  // Read before, for nothing may be asked of the environment inside a signal.

[[noreturn]] void end() { ::_exit(kExitFailed); }

[[noreturn]] void on_terminate() {
    // Asked by its type: to catch it again is not safe where nothing is any more.
    const std::type_info* const thrown = abi::__cxa_current_exception_type();
    if (thrown != nullptr && *thrown == typeid(std::bad_alloc))
        Console::last_words("magic-mirror: the memory is not enough for this request\n");
    else
        Console::last_words(kUnknownReason);
    if (!wants_core) end();
    std::signal(SIGABRT, SIG_DFL);  // It is said.
    std::abort();
}

void on_signal(int number) {
    Console::last_words(number == SIGBUS ? "magic-mirror: a file became shorter while it was read, or its disk failed\n"
                                         : kUnknownReason);
    if (!wants_core) end();
    // Waits until this handler, which is set for one signal only, returns to where it came from.
    ::raise(number);
}

}  // namespace

void install_last_words() {
    const char* const core = std::getenv("MAGIC_MIRROR_CORE");
    wants_core = core != nullptr && *core != '\0';
    std::set_terminate(on_terminate);
    const stack_t stack{signal_stack.data(), 0, signal_stack.size()};
    ::sigaltstack(&stack, nullptr);
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) {
        struct sigaction before {};
        if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
        struct sigaction action {};
        action.sa_handler = on_signal;
        action.sa_flags = SA_ONSTACK | SA_RESETHAND;
        ::sigaction(number, &action, nullptr);
    }
}

}  // namespace mirror::cli
