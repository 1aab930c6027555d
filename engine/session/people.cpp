#include "engine/session/people.h"

#include <algorithm>

#include "engine/face/face_tensors.h"
#include "engine/identity/magic_mirror/perceiver_face.h"

namespace mirror::engine {

namespace {

namespace mm = magic_mirror;

mm::ClipFeatures clip_features(const ModelFolder& folder, const mm::AdapterFile& adapter,
                               const std::vector<Frame>& crops) {
    const Placement& placement = folder.placement();
    const mm::ClipVision tower = adapter.has_clip_vision()
                                     ? mm::ClipVision(adapter.clip_vision(placement), adapter.config().clip_vision)
                                     : folder.clip_vision();
    if (tower.shape != adapter.config().clip_vision)
        throw EngineError(ErrorCode::ShapeMismatch,
                          "image_encoder/config.json differs from the key 'clip_vision' of the adapter's config");
    return tower(clip_pixel_values(crops).to(placement.device, placement.dtype));
}

mm::PerceiverId id_perceiver(const ModelFolder& folder, const mm::AdapterFile& adapter) {
    const mm::AdapterConfig& config = adapter.config();
    if (adapter.has_perceiver_id())
        return {adapter.perceiver_id(folder.placement()), {config.perceiver_id, config.clip_vision.hidden_size}};
    if (folder.perceiver_id_config().shape != config.perceiver_id)
        throw EngineError(ErrorCode::ShapeMismatch,
                          "id_perceiver/config.json differs from the key 'perceiver_id' of the adapter's config");
    return folder.perceiver_id();
}

}  // namespace

std::vector<ReferenceFace> read_references(FaceReader& reader, const std::vector<ReferencePhoto>& photos,
                                           const mm::AdapterConfig& config, RunContext& run) {
    std::vector<ReferenceFace> references;
    for (const ReferencePhoto& photo : photos) {
        run.stop_if_asked();
        if (!references.empty()) run.advance(static_cast<int>(references.size()));
        references.push_back(
            value_or_throw(reader.reference(photo, config.switches.ref_crop, config.switches.ref_crop_expand,
                                            static_cast<int>(config.clip_vision.image_size))));
    }
    return references;
}

bool are_all_drawn(const std::vector<ReferenceFace>& references) {
    return std::all_of(references.begin(), references.end(),
                       [](const auto& reference) { return reference.face.drawn; });
}

PersonFeatures read_person(const ModelFolder& folder, const mm::AdapterFile& adapter,
                           const RecognizerChoice& recognizer, const std::vector<ReferenceFace>& references,
                           RunContext& run) {
    constexpr int kParts = 4;
    run.enter(Stage::ReadIdentity, kParts);
    std::vector<Frame> aligned, crops;
    for (const ReferenceFace& reference : references) {
        aligned.push_back(reference.aligned);
        crops.push_back(reference.crop);
    }
    const mm::Switches& switches = adapter.config().switches;
    const at::Tensor embeddings = recognizer.embed(folder, aligned, adapter.config().perceiver_id.id_dim);
    run.advance(1);
    run.stop_if_asked();
    const mm::ClipFeatures features = clip_features(folder, adapter, crops);
    run.advance(2);
    run.stop_if_asked();
    PersonFeatures person;
    person.all_drawn = are_all_drawn(references);
    person.id_embeds = id_perceiver(folder, adapter)(embeddings, mm::tap(features, switches.id_vit_layer));
    run.advance(3);
    run.stop_if_asked();
    const mm::PerceiverFace perceiver(adapter.weights(folder.placement()) / "perceiver_face", adapter.config());
    person.face_tokens = perceiver(mm::tap(features, switches.face_vit_layer));
    run.advance(kParts);
    return person;
}

}  // namespace mirror::engine
