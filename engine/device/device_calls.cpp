#include "engine/device/device_calls.h"

#include <c10/core/GradMode.h>

#include "engine/device/registered_calls.h"

namespace mirror::engine {

namespace {

DeviceCalls& registered() {
    static DeviceCalls calls;
    return calls;
}

bool wants_gradient(const ResidualNormModulateInput& input) {
    return c10::GradMode::is_enabled() &&
           (input.hidden.requires_grad() || input.branch.requires_grad() || input.gate.requires_grad() ||
            input.shift.requires_grad() || input.scale.requires_grad() || input.weight.requires_grad());
}

}  // namespace

void register_device_calls(const DeviceCalls& calls) { registered() = calls; }

ResidualNormModulateOutput residual_norm_modulate(const ResidualNormModulateInput& input) {
    const DeviceCalls& calls = registered();
    ResidualNormModulateOutput output;
    if (calls.residual_norm_modulate != nullptr && input.hidden.is_cuda() && !wants_gradient(input) &&
        calls.residual_norm_modulate(input, output)) {
        return output;
    }
    output.residual = input.hidden + input.gate * input.branch;
    const at::Tensor normed =
        at::layer_norm(output.residual, {output.residual.size(-1)}, input.weight, input.bias, input.epsilon);
    output.modulated = normed * (1 + input.scale) + input.shift;
    return output;
}

}  // namespace mirror::engine
