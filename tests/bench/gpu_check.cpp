// For a machine with a GPU: every stage on the CPU and on CUDA over the same random tiny checkpoint, then the time of
// one true-shape 5B step. Prints two Markdown tables; exit code 1 if a stage differs by more than rounding explains.
//
//     mirror_gpu_check [DEVICE]     DEVICE is what is compared with the CPU: cuda by default

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/InferenceMode.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/device/cuda_plugin.h"
#include "engine/session/random_checkpoint.h"
#include "engine/session/run_stage.h"
#include "engine/weights/tensor_file.h"
#include "tests/bench/bench_cases.h"

namespace {

using namespace mirror;
using namespace mirror::engine;
namespace fs = std::filesystem;

struct Input {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t below = 0;  // Above 0: integers from 0 to below - 1 instead of normal noise.
};

struct StageCase {
    std::string stage;
    std::vector<Input> inputs;
    bool adapter = false;
};

// Shapes of the preset `tiny`; four steps where there are steps.
const std::vector<StageCase>& stage_cases() {
    const Input latents{"latents", {1, 2, 4, 4, 4}};
    const Input noises{"noises", {4, 2, 1, 2, 4, 4, 4}};
    const Input prompt{"prompt_embeds", {1, 16, 48}};
    const Input negative{"negative_prompt_embeds", {1, 16, 48}};
    const Input id{"id_embeds", {1, 2, 32}};
    const Input face{"face_tokens", {1, 4, 64}};
    const Input hidden{"hidden_states", {2, 2, 4, 4, 4}};
    const Input text{"encoder_hidden_states", {2, 16, 48}};
    const Input timestep{"timestep", {2}, 1000};
    static const std::vector<StageCase> cases{
        {"t5", {{"input_ids", {2, 16}, 256}}},
        {"transformer", {hidden, text, timestep}},
        {"vae-encode", {{"sample", {1, 3, 5, 32, 32}}}},
        {"vae-decode", {{"latents", {1, 4, 2, 4, 4}}}},
        {"scheduler", {{"sample", {1, 2, 4, 4, 4}}, {"model_outputs", {4, 1, 2, 4, 4, 4}}, noises}},
        {"t2v", {latents, prompt, negative, noises}},
        {"clip-vision", {{"pixel_values", {2, 3, 32, 32}}}},
        {"perceiver-id", {{"face_embedding", {2, 16}}, {"last_hidden_state", {2, 17, 32}}}},
        {"perceiver-face", {{"penultimate", {1, 17, 32}}}, true},
        {"fuse", {prompt, id, {"identity_mask", {1, 16}, 1}}, true},
        {"can", {id, {"temb", {2, 32}}}, true},
        {"mm-transformer", {hidden, text, timestep, id, face}, true},
        {"mm-t2v", {latents, prompt, negative, id, face, noises}, true},
    };
    return cases;
}

std::map<std::string, at::Tensor> make_inputs(const StageCase& entry) {
    std::map<std::string, at::Tensor> tensors;
    for (const auto& input : entry.inputs) {
        tensors[input.name] =
            input.below > 0 ? at::randint(input.below, input.shape, at::kLong) : at::randn(input.shape);
        if (input.name == "identity_mask") tensors[input.name].narrow(1, 0, 2).fill_(1);  // One reference: two tokens.
    }
    return tensors;
}

std::map<std::string, at::Tensor> outputs_on(const StageCase& entry, const fs::path& folder, const std::string& device,
                                             Precision precision) {
    StageJob job;
    job.stage = entry.stage;
    job.model = folder / "model";
    job.inputs = folder / "inputs.safetensors";
    job.outputs = folder / ("outputs-" + device + ".safetensors");
    job.options.device = device;
    job.options.dtype = precision;
    job.options.steps = 4;
    if (entry.adapter) job.options.adapter = job.model / "adapter" / "adapter.safetensors";
    value_or_throw(run_stage(job, {}));
    return load_tensors(job.outputs);
}

// Largest difference over the root mean square of the CPU's output, over all outputs of the stage.
double relative_error(const std::map<std::string, at::Tensor>& cpu, const std::map<std::string, at::Tensor>& other) {
    double worst = 0;
    for (const auto& [name, expected] : cpu) {
        if (!expected.is_floating_point()) continue;
        const double scale = std::max(expected.square().mean().sqrt().item<double>(), 1e-6);
        worst = std::max(worst, (expected - other.at(name)).abs().max().item<double>() / scale);
    }
    return worst;
}

// Float32: sums in another order, a few layers deep, and TF32 off. bf16: each operator rounds to 8 bits, four steps
// amplify.
double tolerance(Precision precision) { return precision == Precision::Fp32 ? 1e-3 : 0.25; }

bool compare_stages(const std::string& device) {
    const fs::path folder = fs::temp_directory_path() / ("mirror-gpu-check-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    value_or_throw(init_checkpoint("tiny", 1, folder / "model"));
    std::printf("| stage | precision | largest difference / rms | tolerance |\n|---|---|---|---|\n");
    bool all_fit = true;
    for (const auto& entry : stage_cases()) {
        at::manual_seed(7);
        save_tensors(folder / "inputs.safetensors", make_inputs(entry));
        for (const auto precision : {Precision::Fp32, Precision::Bf16}) {
            const double error = relative_error(outputs_on(entry, folder, "cpu", precision),
                                                outputs_on(entry, folder, device, precision));
            const bool fits = error <= tolerance(precision);
            all_fit = all_fit && fits;
            std::printf("| %s | %s | %.2e | %.0e%s |\n", entry.stage.c_str(), to_text(precision), error,
                        tolerance(precision), fits ? "" : " FAIL");
        }
    }
    fs::remove_all(folder);
    return all_fit;
}

void time_true_step(const std::string& device) {
    std::printf("\n| case | precision | median s of 5 |\n|---|---|---|\n");
    for (const auto& entry : bench::bench_cases()) {
        const auto run = entry.prepare({at::kBFloat16, at::Device(device)});
        std::vector<double> seconds;
        for (int i = 0; i < 6; ++i) {
            const auto start = std::chrono::steady_clock::now();
            run().to(at::kCPU);  // Waits for the device.
            if (i > 0)
                seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
        std::sort(seconds.begin(), seconds.end());
        std::printf("| %s: %s | bf16 | %.4f |\n", entry.name.c_str(), entry.what.c_str(), seconds[2]);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const PluginReport plugin = load_cuda_plugin();
    std::printf("%s\n\n", plugin.detail.c_str());
    const std::string device = argc > 1 ? argv[1] : "cuda";
    at::globalContext().setFloat32MatmulPrecision("highest");
    try {
        const c10::InferenceMode inference;
        const bool all_fit = compare_stages(device);
        if (device != "cpu") time_true_step(device);
        return all_fit ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
