#pragma once

// From the reference photographs to what the text and the transformer are given of a person.

#include <ATen/ATen.h>

#include <vector>

#include "engine/core/face.h"
#include "engine/identity/magic_mirror/adapter_file.h"
#include "engine/session/model_folder.h"
#include "engine/session/recognizer_choice.h"
#include "engine/session/run_context.h"

namespace mirror::engine {

struct PersonFeatures {
    at::Tensor id_embeds;    // [N, K, c]
    at::Tensor face_tokens;  // [1, N*T, d], or [1, T, d] with multi_ref_face=mean
    bool all_drawn = false;  // No reference is a photograph.
};

// Finds the face of every reference, and tells all but the last. EngineError: NoFaceFound, MissingFile, MalformedFile.
std::vector<ReferenceFace> read_references(FaceReader& reader, const std::vector<ReferencePhoto>& photos,
                                           const magic_mirror::AdapterConfig& config, RunContext& run);

bool are_all_drawn(const std::vector<ReferenceFace>& references);

PersonFeatures read_person(const ModelFolder& folder, const magic_mirror::AdapterFile& adapter,
                           const RecognizerChoice& recognizer, const std::vector<ReferenceFace>& references,
                           RunContext& run);

}  // namespace mirror::engine
