#pragma once

// What the frozen networks say of a person's references, made once each when first asked for.

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <utility>

#include "engine/face/recognizer_network.h"
#include "engine/identity/magic_mirror/clip_vision.h"
#include "engine/identity/magic_mirror/perceiver_id.h"
#include "engine/training/model_start.h"
#include "engine/training/reference_pictures.h"

namespace mirror::engine::training {

struct ReferenceFeatures {
    at::Tensor id_embeds;    // [K, c], of the id perceiver
    at::Tensor face_tokens;  // [P, w], the layer of the tower that the face perceiver reads
    at::Tensor embedding;    // [id_dim], of the recogniser, raw
    at::Tensor picture;      // [3, H, W] in -1..1, to show; undefined unless asked for
};

class ReferenceCache {
public:
    // `variants` different portraits of every person.
    ReferenceCache(const ModelStart& start, at::Device device, int size, ReferenceChanges changes, std::uint64_t seed);

    const ReferenceFeatures& features(std::uint64_t person, std::int64_t variant);

    const RecognizerNetwork& recognizer() const { return recognizer_; }

private:
    ReferenceFeatures make(std::uint64_t person, std::int64_t variant) const;

    magic_mirror::AdapterConfig config_;
    at::Device device_;
    int size_;
    ReferenceChanges changes_;
    std::uint64_t seed_;
    RecognizerNetwork recognizer_;
    magic_mirror::ClipVision tower_;
    magic_mirror::PerceiverId perceiver_;
    std::map<std::pair<std::uint64_t, std::int64_t>, ReferenceFeatures> known_;
};

}  // namespace mirror::engine::training
