// Times one case and prints one JSON object: {"case", "dtype", "threads", "seconds": [...], "peak_mib"}.

#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/bench/bench_cases.h"

namespace {

using namespace mirror::engine;

double seconds_of(const std::function<at::Tensor()>& run) {
    const auto start = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

long peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

int usage() {
    std::fprintf(stderr, "usage: mirror_bench CASE fp32|bf16 REPEATS THREADS\n");
    for (const auto& entry : bench::bench_cases()) std::fprintf(stderr, "  %-12s %s\n", entry.name.c_str(), entry.what.c_str());
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return usage();
    const std::string name = argv[1];
    const std::string dtype = argv[2];
    const int repeats = std::atoi(argv[3]);
    at::set_num_threads(std::atoi(argv[4]));
    for (const auto& entry : bench::bench_cases()) {
        if (entry.name != name) continue;
        const auto run = entry.prepare({dtype == "bf16" ? at::kBFloat16 : at::kFloat, at::kCPU});
        run();
        std::printf("{\"case\": \"%s\", \"dtype\": \"%s\", \"threads\": %d, \"seconds\": [", name.c_str(), dtype.c_str(),
                    at::get_num_threads());
        for (int i = 0; i < repeats; ++i) std::printf("%s%.6f", i == 0 ? "" : ", ", seconds_of(run));
        std::printf("], \"peak_mib\": %ld}\n", peak_mib());
        return 0;
    }
    return usage();
}
