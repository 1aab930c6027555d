#pragma once

// What the diffusion stages train on: latents with captions and, for an adapter, references. Drawn people, or a folder
// of the user's own.

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "engine/training/latent_cache.h"
#include "engine/training/random_stream.h"
#include "engine/training/reference_encoder.h"

namespace mirror::engine::training {

// Captions for the base model say how a person looks; those for an adapter have the trigger instead.
enum class CaptionFor { Base, Adapter };

class DiffusionData {
public:
    virtual ~DiffusionData() = default;

    // How many different samples there are, of one frame or of the clip's; 0: none.
    virtual std::int64_t items(bool still) const = 0;
    virtual const LatentClip& clip(std::int64_t item, bool still) = 0;
    // `choice` chooses among the ways to say the same, where there are several.
    virtual std::string caption(std::int64_t item, bool still, std::uint64_t choice, CaptionFor what) = 0;
    // A portrait of the same person, never the target itself. Only for data that was made with references.
    virtual const ReferenceFeatures& reference(std::int64_t item, bool still, RandomStream& random) = 0;

    // To show, [3, H, W] in -1..1: the sample's first frame, and the reference that `first_reference` uses.
    virtual at::Tensor picture(std::int64_t item, bool still) = 0;
    virtual at::Tensor reference_picture(std::int64_t item, bool still) = 0;
    virtual const ReferenceFeatures& first_reference(std::int64_t item, bool still) = 0;
};

}  // namespace mirror::engine::training
