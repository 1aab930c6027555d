#pragma once

// Drawn people as training data: references are calm portraits in another light and other clothes.

#include <cstdint>
#include <string>

#include "engine/training/diffusion_data.h"
#include "engine/training/drawn_data.h"
#include "engine/training/latent_cache.h"
#include "engine/training/reference_cache.h"

namespace mirror::engine::training {

class DrawnDiffusionData : public DiffusionData {
public:
    // `references` may be null where no stage asks for any; it outlives this. `variants`: portraits of each person.
    DrawnDiffusionData(const LatentSource& source, const DrawnOptions& options, people::Split split, std::uint64_t seed,
                       ReferenceCache* references, std::int64_t variants)
        : options_(options), cache_(source, options, split, seed), references_(references), variants_(variants) {}

    std::int64_t items(bool still) const override { return still || options_.frames > 1 ? options_.items : 0; }
    const LatentClip& clip(std::int64_t item, bool still) override { return cache_.clip(item, still); }
    std::string caption(std::int64_t item, bool still, std::uint64_t choice, CaptionFor what) override;
    const ReferenceFeatures& reference(std::int64_t item, bool still, RandomStream& random) override;
    at::Tensor picture(std::int64_t item, bool still) override;
    at::Tensor reference_picture(std::int64_t item, bool still) override;
    const ReferenceFeatures& first_reference(std::int64_t item, bool still) override;

private:
    std::uint64_t person(std::int64_t item, bool still) { return clip(item, still).scene.identity.seed; }

    DrawnOptions options_;
    LatentCache cache_;
    ReferenceCache* references_;
    std::int64_t variants_;
};

}  // namespace mirror::engine::training
