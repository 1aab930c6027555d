// magic-mirror: the engine on the command line.

#include <fcntl.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "app/cli/last_words.h"
#include "app/cli/program.h"
#include "engine/core/log.h"
#include "engine/device/cuda_plugin.h"
#include "engine/kernels/cpu/short_waits.h"
#include "engine/tensor/recycled_memory.h"

namespace {

// A program started with a closed standard stream would open its files under that number and then print into them.
void reserve_standard_streams() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor)
        if (::fcntl(descriptor, F_GETFD) < 0)
            static_cast<void>(::open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY));
}

}  // namespace

int main(int argc, char** argv) {
    reserve_standard_streams();
    mirror::cli::install_last_words();
    if (const char* file = std::getenv("MAGIC_MIRROR_LOG"); file != nullptr && *file != '\0') mirror::start_log(file);
    mirror::engine::recycle_cpu_memory();
    mirror::log(mirror::LogLevel::Info, "threads",
                mirror::kernels::waits_shortly() ? "Waiting turns are as the environment says."
                                                 : "Waiting turns are the runtime's own.");
    mirror::log(mirror::LogLevel::Info, "device", mirror::engine::load_cuda_plugin().detail);
    return mirror::cli::run_program(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
