#include "engine/weights/layer_stack.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace mirror::engine {

void use_one_thread_here() {
    at::get_num_threads();  // Sets this thread up; else the first operator would do it, over what follows.
    // libtorch brings its OpenMP along, and its own set_num_threads would change every thread.
    using SetThreads = void (*)(int);
    static const auto set_threads = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set_threads != nullptr) set_threads(1);
}

}  // namespace mirror::engine
