#pragma once

// The frozen networks that turn a reference into what an adapter is conditioned on: recogniser, vision tower and id
// perceiver of the model that a stage starts from.

#include <ATen/ATen.h>

#include <string>

#include "engine/face/recognizer_network.h"
#include "engine/identity/magic_mirror/adapter_config.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/training/model_start.h"
#include "engine/training/reference_pictures.h"

namespace mirror::engine::training {

struct ReferenceFeatures {
    // On the CPU and in bfloat16: a run has a hundred thousand of them.
    at::Tensor id_embeds;    // [K, c], of the id perceiver
    at::Tensor face_tokens;  // [P, w], the layer of the tower that the face perceiver reads
    at::Tensor embedding;    // [id_dim], of the recogniser, raw, float32
};

class ReferenceEncoder {
public:
    // `dtype`: of the vision tower and the id perceiver.
    ReferenceEncoder(const ModelStart& start, at::Device device, at::ScalarType dtype);

    ReferenceFeatures operator()(const ReferencePictures& pictures) const;
    // Of an aligned face [3, 112, 112] in -1..1: [id_dim], raw, float32, on the CPU.
    at::Tensor embedding(const at::Tensor& aligned) const;

    const magic_mirror::AdapterConfig& config() const { return config_; }
    const RecognizerNetwork& recognizer() const { return recognizer_; }
    // Of what features depend on: weights, their dtype, layers, the crop.
    const std::string& fingerprint() const { return fingerprint_; }

private:
    magic_mirror::AdapterConfig config_;
    at::Device device_;
    at::ScalarType dtype_;
    RecognizerNetwork recognizer_;
    magic_mirror::ClipVision tower_;
    magic_mirror::PerceiverId perceiver_;
    std::string fingerprint_;
};

}  // namespace mirror::engine::training
