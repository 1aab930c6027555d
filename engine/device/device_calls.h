#pragma once

// The operators that a device plug-in may run faster than libtorch's separate ones, as tensors in and tensors out.

#include <ATen/ATen.h>

namespace mirror::engine {

// hidden, branch [B, T, D]; gate, shift, scale [B, 1, D]; LayerNorm over D with weight and bias.
struct ResidualNormModulateInput {
    at::Tensor hidden;
    at::Tensor branch;
    at::Tensor gate;
    at::Tensor weight;
    at::Tensor bias;
    at::Tensor shift;
    at::Tensor scale;
    double epsilon = 1e-5;
};

struct ResidualNormModulateOutput {
    at::Tensor residual;   // hidden + gate * branch
    at::Tensor modulated;  // LayerNorm(residual) * (1 + scale) + shift
};

// What a plug-in offers. `version` must equal kDeviceCallsVersion.
inline constexpr int kDeviceCallsVersion = 1;
struct DeviceCalls {
    int version = 0;
    bool (*residual_norm_modulate)(const ResidualNormModulateInput&, ResidualNormModulateOutput&) = nullptr;
};

// Name of the plug-in's one entry: `extern "C" const DeviceCalls* mirror_cuda_calls()`.
inline constexpr const char* kDeviceCallsEntry = "mirror_cuda_calls";

// Through the plug-in where it takes the input (CUDA tensors, no gradient asked for), else libtorch's operators in the
// published order of roundings.
ResidualNormModulateOutput residual_norm_modulate(const ResidualNormModulateInput& input);

}  // namespace mirror::engine
