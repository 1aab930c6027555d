#include "engine/training/reference_cache.h"

namespace mirror::engine::training {

const ReferenceFeatures& ReferenceCache::features(std::uint64_t person, std::int64_t variant) {
    const auto key = std::pair(person, variant);
    const auto found = known_.find(key);
    return found != known_.end() ? found->second : known_.emplace(key, make(person, variant)).first->second;
}

at::Tensor ReferenceCache::picture(std::uint64_t person, std::int64_t variant) const {
    RandomStream random = stream(person, variant);
    return to_signal(draw(people::reference_portrait(person, random.bits(), size_)).pixels.select(1, 0));
}

ReferenceFeatures ReferenceCache::make(std::uint64_t person, std::int64_t variant) const {
    RandomStream random = stream(person, variant);
    const DrawnClip portrait = draw(people::reference_portrait(person, random.bits(), size_));
    const magic_mirror::AdapterConfig& config = encoder_.config();
    return encoder_(reference_pictures(portrait, 0, config.clip_vision.image_size, config.switches.ref_crop_expand,
                                       changes_, random));
}

}  // namespace mirror::engine::training
