#pragma once

// What a stage function gets: its inputs by name, checked; its options; a place for its outputs.

#include <ATen/ATen.h>

#include <filesystem>
#include <initializer_list>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/session/run_stage.h"
#include "engine/weights/tensor_file.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine::stages {

// A dimension that may have any extent from 1 on.
inline constexpr std::int64_t kAny = -1;

class StageInputs {
public:
    StageInputs(TensorMap tensors, std::string origin) : tensors_(std::move(tensors)), origin_(std::move(origin)) {}

    bool has(const std::string& name) const { return tensors_.contains(name); }
    std::size_t rank(const std::string& name) const;  // 0 if it is missing.
    // F32, F16 or BF16, cast to the placement.
    at::Tensor floats(const std::string& name, at::IntArrayRef shape, const Placement& placement) const;
    // I64, on the placement's device.
    at::Tensor integers(const std::string& name, at::IntArrayRef shape, const Placement& placement) const;

private:
    const at::Tensor& find(const std::string& name, at::IntArrayRef shape) const;

    TensorMap tensors_;
    std::string origin_;
};

// A misshapen input that a pattern cannot describe. `wanted` is a phrase: "[N*T, d] with N = 2".
[[noreturn]] void refuse_input(const std::string& name, const at::Tensor& tensor, const std::string& wanted);
// An option with an impossible value.
[[noreturn]] void refuse_option(const std::string& option, const std::string& wanted);

struct StageRun {
    const StageJob& job;
    const StageOptions& options;
    Placement placement;
    StageInputs inputs;
    std::stop_token stop;
    TensorMap outputs;
    std::vector<std::string> warnings;

    at::Tensor floats(const std::string& name, at::IntArrayRef shape) const {
        return inputs.floats(name, shape, placement);
    }
    at::Tensor integers(const std::string& name, at::IntArrayRef shape) const {
        return inputs.integers(name, shape, placement);
    }
    void output(const std::string& name, at::Tensor tensor) { outputs[name] = std::move(tensor); }
};

using StageFunction = void (*)(StageRun&);

// CogVideoX
void tokenize(StageRun& run);
void t5(StageRun& run);
void transformer(StageRun& run);
void vae_encode(StageRun& run);
void vae_decode(StageRun& run);
void scheduler(StageRun& run);
void text_to_video(StageRun& run);
void image_to_video(StageRun& run);

// Magic Mirror
void clip_vision(StageRun& run);
void perceiver_id(StageRun& run);
void perceiver_face(StageRun& run);
void fuse(StageRun& run);
void conditioned_norm(StageRun& run);
void mm_transformer(StageRun& run);
void mm_tokenize(StageRun& run);
void mm_text_to_video(StageRun& run);

}  // namespace mirror::engine::stages
