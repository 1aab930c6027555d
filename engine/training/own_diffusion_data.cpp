#include "engine/training/own_diffusion_data.h"

#include <utility>

namespace mirror::engine::training {

OwnDiffusionData::OwnDiffusionData(std::shared_ptr<const MaterialSet> set, Part part, double held_out,
                                   std::uint64_t seed, std::string trigger)
    : set_(std::move(set)), trigger_(std::move(trigger)) {
    for (std::size_t i = 0; i < set_->items.size(); ++i) {
        const MaterialItem& item = set_->items[i];
        RandomStream random(seed, Purpose::Grid, static_cast<std::uint64_t>(item.person));
        if (random.chance(held_out) != (part == Part::HeldOut)) continue;
        stills_.push_back(static_cast<std::int64_t>(i));
        if (item.clip.latents.defined()) clips_.push_back(static_cast<std::int64_t>(i));
    }
}

const MaterialItem& OwnDiffusionData::at(std::int64_t item, bool still) const {
    return set_->items[static_cast<std::size_t>(chosen(still)[static_cast<std::size_t>(item)])];
}

const MaterialItem& OwnDiffusionData::twin(const MaterialItem& item, std::size_t which) const {
    if (item.partners.empty()) return item;
    return set_->items[static_cast<std::size_t>(item.partners[which % item.partners.size()])];
}

const LatentClip& OwnDiffusionData::clip(std::int64_t item, bool still) {
    return still ? at(item, still).still : at(item, still).clip;
}

std::string OwnDiffusionData::caption(std::int64_t item, bool still, std::uint64_t /*choice*/, CaptionFor what) {
    const std::string& text = at(item, still).caption;
    return what == CaptionFor::Adapter ? with_trigger(text, trigger_) : without_trigger(text, trigger_);
}

const ReferenceFeatures& OwnDiffusionData::reference(std::int64_t item, bool still, RandomStream& random) {
    const std::uint64_t which = random.bits();
    const MaterialItem& from = twin(at(item, still), static_cast<std::size_t>(which >> 8));
    return from.features[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(from.features.size())))];
}

at::Tensor OwnDiffusionData::picture(std::int64_t item, bool still) { return to_signal(at(item, still).picture); }

at::Tensor OwnDiffusionData::reference_picture(std::int64_t item, bool still) {
    return to_signal(twin(at(item, still), 0).picture);
}

const ReferenceFeatures& OwnDiffusionData::first_reference(std::int64_t item, bool still) {
    return twin(at(item, still), 0).features.front();
}

}  // namespace mirror::engine::training
