#pragma once

// The recogniser that an evaluation compares faces with: the model's own, or one that is installed among the face
// models.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"

namespace mirror::metrics {

class FaceEmbedder {
public:
    virtual ~FaceEmbedder() = default;

    // The raw vector of each aligned 112 x 112 face. Throws EngineError.
    virtual std::vector<std::vector<float>> embed(std::span<const Frame> aligned) = 0;
    // The embedding space; similarities of different spaces cannot be compared.
    virtual const std::string& id_pack() const = 0;
};

// The checkpoint's recognizer/ if it has one, else the first of the installed ones. EngineError: MissingFile if there
// is neither; whatever refuses the file.
std::unique_ptr<FaceEmbedder> make_face_embedder(const std::filesystem::path& model, const std::string& device,
                                                 FaceReader& faces);

// Whether a space is that of a published ArcFace network, in which Arc-Sim is defined.
bool is_arcface_space(const std::string& id_pack);

}  // namespace mirror::metrics
