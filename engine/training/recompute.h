#pragma once

// Activation checkpointing (Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016) for the blocks of a
// transformer: a block keeps what goes into it, and its inside is made a second time when the gradient comes by.

#include <ATen/ATen.h>

#include <vector>

#include "engine/tensor/gradient_calls.h"

namespace mirror::engine::training {

// function(inputs), with the gradient of its results reaching the inputs that want one and every weight inside. The
// second pass runs under the precision and with the random numbers of the first. A result that is one of the inputs is
// handed back as it came.
std::vector<at::Tensor> recomputed(const StreamFunction& function, const std::vector<at::Tensor>& inputs);

}  // namespace mirror::engine::training
