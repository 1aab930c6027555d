// magic-mirror: the engine on the command line.

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "app/cli/console.h"
#include "app/cli/program.h"
#include "engine/core/log.h"
#include "engine/device/cuda_plugin.h"
#include "engine/tensor/recycled_memory.h"

namespace {

// A program started with a closed standard stream would open its files under that number and then print into them.
void reserve_standard_streams() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor)
        if (::fcntl(descriptor, F_GETFD) < 0)
            static_cast<void>(::open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY));
}

bool is_out_of_memory() {
    if (!std::current_exception()) return false;
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return true;
    } catch (...) {
        return false;
    }
}

// Memory can be so short that the exception about it cannot be handled; anything else that comes here is a defect.
[[noreturn]] void end_at_once() {
    if (is_out_of_memory()) {
        mirror::cli::Console::last_words("magic-mirror: the memory is not enough for this request\n");
        ::_exit(1);
    }
    mirror::cli::Console::last_words("magic-mirror: the program failed in a way that it does not know\n");
    std::abort();
}

}  // namespace

int main(int argc, char** argv) {
    reserve_standard_streams();
    std::set_terminate(end_at_once);
    if (const char* file = std::getenv("MAGIC_MIRROR_LOG"); file != nullptr && *file != '\0') mirror::start_log(file);
    mirror::engine::recycle_cpu_memory();
    mirror::log(mirror::LogLevel::Info, "device", mirror::engine::load_cuda_plugin().detail);
    return mirror::cli::run_program(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
