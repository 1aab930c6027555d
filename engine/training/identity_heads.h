#pragma once

// What is trained beside an identity network and thrown away afterwards: a direction for every person of the training
// set, and a reading of the identity code.

#include <ATen/ATen.h>

#include "engine/tensor/layers.h"
#include "engine/training/person_features.h"
#include "engine/training/training_task.h"
#include "engine/weights/weight_source.h"

namespace mirror::engine::training {

struct IdentityLosses {
    static IdentityLosses read(const Recipe& recipe);

    double margin = 0.25;
    double scale = 24.0;
    double identity = 1.0;  // Weights of the three terms.
    double code = 1.0;
    double contrast = 0.0;
};

struct IdentityHeads {
    IdentityHeads(const WeightScope& weights, std::int64_t width, std::int64_t people);

    // embeddings [B, width]
    BatchLoss loss(const at::Tensor& embeddings, const PeopleBatch& batch, const IdentityLosses& losses) const;

    at::Tensor classes;  // [people, width]
    Linear code;
};

// The tensors whose names begin with "network.", without it, in that dtype.
TensorMap network_tensors(const TensorMap& named, at::ScalarType dtype);

}  // namespace mirror::engine::training
