#include "engine/training/reference_cache.h"

#include <c10/core/GradMode.h>

namespace mirror::engine::training {

namespace mm = magic_mirror;

ReferenceCache::ReferenceCache(const ModelStart& start, at::Device device, int size, ReferenceChanges changes,
                               std::uint64_t seed)
    : config_(start.preset().adapter),
      device_(device),
      size_(size),
      changes_(changes),
      seed_(seed),
      recognizer_(start.frozen("recognizer"), start.folder().recognizer_config()),
      tower_(start.frozen("image_encoder"), start.folder().clip_vision_shape()),
      perceiver_(start.frozen("id_perceiver"), start.folder().perceiver_id_config()) {}

const ReferenceFeatures& ReferenceCache::features(std::uint64_t person, std::int64_t variant) {
    const auto key = std::pair(person, variant);
    const auto found = known_.find(key);
    return found != known_.end() ? found->second : known_.emplace(key, make(person, variant)).first->second;
}

ReferenceFeatures ReferenceCache::make(std::uint64_t person, std::int64_t variant) const {
    const c10::NoGradGuard no_gradients;
    RandomStream random(seed_ ^ person, Purpose::Augment, static_cast<std::uint64_t>(variant));
    const DrawnClip portrait = draw(people::reference_portrait(person, random.bits(), size_));
    const ReferencePictures pictures = reference_pictures(portrait, 0, config_.clip_vision.image_size,
                                                          config_.switches.ref_crop_expand, changes_, random);
    const mm::ClipFeatures features = tower_(pictures.crop.unsqueeze(0).to(device_));
    const at::Tensor embedding = recognizer_.forward(pictures.aligned.unsqueeze(0).to(device_));
    ReferenceFeatures result;
    result.id_embeds = perceiver_(embedding, mm::tap(features, config_.switches.id_vit_layer))[0];
    result.face_tokens = mm::tap(features, config_.switches.face_vit_layer)[0];
    result.embedding = embedding[0];
    result.picture = to_signal(portrait.pixels.select(1, 0));
    return result;
}

}  // namespace mirror::engine::training
