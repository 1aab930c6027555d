#pragma once

// The user's own pictures and videos as training data.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/training/diffusion_data.h"
#include "engine/training/material_set.h"

namespace mirror::engine::training {

enum class Part { Train, HeldOut };

class OwnDiffusionData : public DiffusionData {
public:
    // Whole persons are held out, chosen by `seed`: a share of them, so that nobody is in both parts.
    OwnDiffusionData(std::shared_ptr<const MaterialSet> set, Part part, double held_out, std::uint64_t seed,
                     std::string trigger);

    std::int64_t items(bool still) const override { return static_cast<std::int64_t>(chosen(still).size()); }
    const LatentClip& clip(std::int64_t item, bool still) override;
    std::string caption(std::int64_t item, bool still, std::uint64_t choice, CaptionFor what) override;
    const ReferenceFeatures& reference(std::int64_t item, bool still, RandomStream& random) override;
    at::Tensor picture(std::int64_t item, bool still) override;
    at::Tensor reference_picture(std::int64_t item, bool still) override;
    const ReferenceFeatures& first_reference(std::int64_t item, bool still) override;

private:
    const std::vector<std::int64_t>& chosen(bool still) const { return still ? stills_ : clips_; }
    const MaterialItem& at(std::int64_t item, bool still) const;
    // Another picture of the same person if there is one; else the item, cut anew.
    const MaterialItem& twin(const MaterialItem& item, std::size_t which) const;

    std::shared_ptr<const MaterialSet> set_;
    std::string trigger_;
    std::vector<std::int64_t> stills_, clips_;  // Into the set.
};

}  // namespace mirror::engine::training
