// Times one case and prints one JSON object: {"case", "dtype", "threads", "seconds": [...], "cpu_seconds": [...],
// "peak_mib", "error"}. Processor time says more than the clock on a machine that others use, with one thread. The
// error is that of the bfloat16 result against the same model in float32, root mean square over root mean square.

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "engine/kernels/cpu/short_waits.h"
#include "engine/tensor/recycled_memory.h"
#include "tests/bench/bench_cases.h"

namespace {

using namespace mirror::engine;

struct Times {
    std::vector<double> seconds;
    std::vector<double> cpu_seconds;
};

double cpu_now() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Times time_runs(const std::function<at::Tensor()>& run, int repeats) {
    Times times;
    for (int i = 0; i < repeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        const double cpu_start = cpu_now();
        run();
        times.cpu_seconds.push_back(cpu_now() - cpu_start);
        times.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return times;
}

std::string list_of(const std::vector<double>& values) {
    std::string text;
    for (const double value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
    return "[" + text + "]";
}

long peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

double relative_error(const at::Tensor& result, const at::Tensor& reference) {
    const at::Tensor exact = reference.to(at::kDouble);
    return std::sqrt(((result.to(at::kDouble) - exact).square().mean() / exact.square().mean()).item<double>());
}

int usage() {
    std::fprintf(stderr, "usage: mirror_bench CASE fp32|bf16 REPEATS THREADS\n");
    for (const auto& entry : bench::bench_cases())
        std::fprintf(stderr, "  %-12s %s\n", entry.name.c_str(), entry.what.c_str());
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return usage();
    const std::string name = argv[1];
    const std::string dtype = argv[2];
    const int repeats = std::atoi(argv[3]);
    at::set_num_threads(std::atoi(argv[4]));
    recycle_cpu_memory();  // As the program does.
    for (const auto& entry : bench::bench_cases()) {
        if (entry.name != name) continue;
        const c10::InferenceMode inference;
        const bool halves = dtype == "bf16";
        std::function<at::Tensor()> run = entry.prepare({halves ? at::kBFloat16 : at::kFloat, at::kCPU});
        const at::Tensor result = run();
        const Times times = time_runs(run, repeats);
        const long peak = peak_mib();
        run = {};
        const double error = halves ? relative_error(result, entry.prepare({at::kFloat, at::kCPU})()) : 0;
        std::printf(
            "{\"case\": \"%s\", \"dtype\": \"%s\", \"threads\": %d, \"seconds\": %s, \"cpu_seconds\": %s, "
            "\"peak_mib\": %ld, \"error\": %.3e, \"short_waits\": %s}\n",
            name.c_str(), dtype.c_str(), at::get_num_threads(), list_of(times.seconds).c_str(),
            list_of(times.cpu_seconds).c_str(), peak, error,
            mirror::kernels::waits_shortly() ? "true" : "false");  // As the programs do: the call makes them short.
        return 0;
    }
    return usage();
}
