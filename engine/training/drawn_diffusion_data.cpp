#include "engine/training/drawn_diffusion_data.h"

#include "engine/training/people/caption.h"

namespace mirror::engine::training {

std::string DrawnDiffusionData::caption(std::int64_t item, bool still, std::uint64_t choice, CaptionFor what) {
    const bool trigger = what == CaptionFor::Adapter;
    return people::caption(clip(item, still).scene, {choice, people::CaptionLength::Any, trigger, !trigger});
}

// A portrait of the same person: another pose, another light, other clothes. Never the target itself.
const ReferenceFeatures& DrawnDiffusionData::reference(std::int64_t item, bool still, RandomStream& random) {
    return references_->features(person(item, still), random.below(variants_));
}

at::Tensor DrawnDiffusionData::picture(std::int64_t item, bool still) {
    return to_signal(draw(clip(item, still).scene).pixels).select(1, 0);
}

at::Tensor DrawnDiffusionData::reference_picture(std::int64_t item, bool still) {
    return references_->picture(person(item, still), 0);
}

const ReferenceFeatures& DrawnDiffusionData::first_reference(std::int64_t item, bool still) {
    return references_->features(person(item, still), 0);
}

}  // namespace mirror::engine::training
