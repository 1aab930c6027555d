#include "engine/metrics/clip_observer.h"

#include <algorithm>

#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/face/alignment.h"
#include "engine/metrics/identity_measures.h"

namespace mirror::metrics {

namespace {

constexpr int kAlignedSide = 112;

double area(const FaceBox& box) { return (box.x1 - box.x0) * (box.y1 - box.y0); }

FaceBox chosen_box(const PhotoFaces& found, const ReferencePhoto& photo) {
    const std::string name = path_for_message(photo.file.filename());
    if (found.faces.empty())
        throw EngineError(ErrorCode::NoFaceFound, "The reference " + name + " shows no face that could be found.");
    const auto number = static_cast<std::size_t>(photo.face.value_or(1));
    if (number < 1 || number > found.faces.size())
        throw EngineError(ErrorCode::NoFaceFound, "The reference " + name + " has " +
                                                      std::to_string(found.faces.size()) + " faces; face " +
                                                      std::to_string(number) + " does not exist.");
    return found.faces[number - 1];
}

}  // namespace

std::vector<FaceSeen> observe_references(FaceReader& reader, FaceEmbedder& embedder,
                                         const std::vector<ReferencePhoto>& photos) {
    std::vector<FaceSeen> references;
    for (const ReferencePhoto& photo : photos) {
        const Frame picture = value_or_throw(reader.load(photo.file));
        const PhotoFaces found{photo.file, picture.width, picture.height, value_or_throw(reader.find(picture))};
        const FaceBox box = chosen_box(found, photo);
        const FaceCrops crops = value_or_throw(reader.crops(picture, box));
        references.push_back({box, embedder.embed({&crops.aligned, 1}).at(0)});
    }
    return references;
}

ObservedFrame ClipObserver::observe(const Frame& frame, std::int64_t index) {
    std::vector<FaceSeen> faces;
    std::vector<Frame> aligned;
    for (const FaceBox& box : face::find_faces(detectors_, frame)) {
        auto picture = face::align_face(frame, box.landmarks, kAlignedSide);
        if (!picture) continue;  // Landmarks that coincide belong to no face.
        aligned.push_back(std::move(picture).value());
        faces.push_back({box, {}});
    }
    ObservedFrame observed{index, {}};
    if (faces.empty()) return observed;
    auto embeddings = embedder_.embed(aligned);
    for (std::size_t i = 0; i < faces.size(); ++i) faces[i].embedding = std::move(embeddings.at(i));
    observed.face = faces[chosen_face(faces, references_)];
    return observed;
}

std::size_t chosen_face(const std::vector<FaceSeen>& faces, const std::vector<FaceSeen>& references) {
    ObservedClip all;
    for (const FaceSeen& face : faces) all.frames.push_back({0, face});
    const Series likeness = similarity_series(references, all, IdAverage::Similarities);
    std::size_t best = 0;
    for (std::size_t i = 1; i < faces.size(); ++i) {
        const bool better =
            references.empty() ? area(faces[i].box) > area(faces[best].box) : *likeness[i] > *likeness[best];
        if (better) best = i;
    }
    return best;
}

}  // namespace mirror::metrics
