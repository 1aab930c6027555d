#pragma once

// Watches a video frame by frame: finds the person's face in each and says who it looks like.

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/core/face.h"
#include "engine/face/face_detector.h"
#include "engine/metrics/face_embedder.h"
#include "engine/metrics/observation.h"

namespace mirror::metrics {

// The reference photographs: the face that `reader` chooses in each, or that its number names. EngineError:
// NoFaceFound, MissingFile, MalformedFile; the sentence names the photograph.
std::vector<FaceSeen> observe_references(FaceReader& reader, FaceEmbedder& embedder,
                                         const std::vector<ReferencePhoto>& photos);

class ClipObserver {
public:
    using Detectors = std::vector<std::unique_ptr<face::FaceDetector>>;

    // `embedder` and `references` must outlive it.
    ClipObserver(Detectors detectors, FaceEmbedder& embedder, const std::vector<FaceSeen>& references)
        : detectors_(std::move(detectors)), embedder_(embedder), references_(references) {}

    // Of several faces the one that is most like the references; without references the largest.
    ObservedFrame observe(const Frame& frame, std::int64_t index);

private:
    Detectors detectors_;
    FaceEmbedder& embedder_;
    const std::vector<FaceSeen>& references_;
};

// Which of the faces is meant; `faces` is not empty.
std::size_t chosen_face(const std::vector<FaceSeen>& faces, const std::vector<FaceSeen>& references);

}  // namespace mirror::metrics
