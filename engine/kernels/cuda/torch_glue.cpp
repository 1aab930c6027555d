// The plug-in's only file that knows torch: tensors and the current stream in, raw pointers out.

#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "engine/device/device_calls.h"
#include "engine/kernels/cuda/residual_norm_modulate.h"

namespace mirror::engine {

namespace {

template <typename T>
const T* pointer(const at::Tensor& tensor) {
    return static_cast<const T*>(tensor.const_data_ptr());
}

template <typename T>
void run(const ResidualNormModulateInput& input, ResidualNormModulateOutput& output) {
    const at::Tensor hidden = input.hidden.contiguous();
    const at::Tensor branch = input.branch.contiguous();
    const at::Tensor gate = input.gate.expand({hidden.size(0), 1, hidden.size(2)}).contiguous();
    const at::Tensor shift = input.shift.expand_as(gate).contiguous();
    const at::Tensor scale = input.scale.expand_as(gate).contiguous();
    output.residual = at::empty_like(hidden);
    output.modulated = at::empty_like(hidden);
    kernels::ResidualNormModulate<T> call;
    call.hidden = pointer<T>(hidden);
    call.branch = pointer<T>(branch);
    call.gate = pointer<T>(gate);
    call.weight = pointer<T>(input.weight);
    call.bias = pointer<T>(input.bias);
    call.scale = pointer<T>(scale);
    call.shift = pointer<T>(shift);
    call.residual = static_cast<T*>(output.residual.data_ptr());
    call.modulated = static_cast<T*>(output.modulated.data_ptr());
    call.batch = hidden.size(0);
    call.rows = hidden.size(1);
    call.width = hidden.size(2);
    call.epsilon = static_cast<float>(input.epsilon);
    C10_CUDA_CHECK(kernels::residual_norm_modulate_cuda(call, c10::cuda::getCurrentCUDAStream()));
}

bool fits(const ResidualNormModulateInput& input) {
    const auto type = input.hidden.scalar_type();
    const auto same = [&](const at::Tensor& t) { return t.defined() && t.is_cuda() && t.scalar_type() == type; };
    return (type == at::kFloat || type == at::kBFloat16) && input.hidden.dim() == 3 &&
           input.hidden.size(2) <= kernels::kLargestNormWidth && same(input.branch) && same(input.gate) &&
           same(input.weight) && same(input.bias) && same(input.shift) && same(input.scale) &&
           input.weight.is_contiguous() && input.bias.is_contiguous();
}

bool residual_norm_modulate_on_device(const ResidualNormModulateInput& input, ResidualNormModulateOutput& output) {
    if (!fits(input)) return false;
    const c10::cuda::CUDAGuard guard(input.hidden.device());
    if (input.hidden.scalar_type() == at::kFloat) {
        run<float>(input, output);
    } else {
        run<std::uint16_t>(input, output);
    }
    return true;
}

}  // namespace

}  // namespace mirror::engine

extern "C" const mirror::engine::DeviceCalls* mirror_cuda_calls() {
    static const mirror::engine::DeviceCalls calls{mirror::engine::kDeviceCallsVersion,
                                                   mirror::engine::residual_norm_modulate_on_device};
    return &calls;
}
