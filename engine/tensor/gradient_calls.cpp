#include "engine/tensor/gradient_calls.h"

namespace mirror::engine {

namespace {

GradientCalls& table() {
    static GradientCalls calls;
    return calls;
}

}  // namespace

const GradientCalls& gradient_calls() { return table(); }

void register_gradient_calls(const GradientCalls& calls) { table() = calls; }

}  // namespace mirror::engine
