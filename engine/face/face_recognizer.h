#pragma once

// From aligned faces to identity vectors, whatever network does it.

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "engine/core/frame.h"
#include "engine/face/recognizer_network.h"

namespace mirror::engine {

class FaceRecognizer {
public:
    virtual ~FaceRecognizer() = default;

    // Aligned 112 x 112 faces -> [N, id_dim], raw, on the recogniser's device. Throws EngineError.
    virtual at::Tensor embed(std::span<const Frame> aligned) const = 0;
    // The embedding space (`id_pack`).
    virtual const std::string& id_pack() const = 0;
};

// The network of a checkpoint's recognizer/ folder behind the interface.
class NetworkRecognizer : public FaceRecognizer {
public:
    NetworkRecognizer(const WeightScope& weights, const RecognizerConfig& config)
        : network_(weights, config), placement_(weights.placement()) {}

    at::Tensor embed(std::span<const Frame> aligned) const override;
    const std::string& id_pack() const override { return network_.config().id_pack; }

private:
    RecognizerNetwork network_;
    Placement placement_;
};

// Cosines between two sets of raw vectors: [N, D] and [M, D] -> [N, M].
at::Tensor identity_similarity(const at::Tensor& a, const at::Tensor& b);

}  // namespace mirror::engine
