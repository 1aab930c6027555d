#pragma once

// Finds faces and their five landmarks in an upright picture.

#include <memory>
#include <span>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"

namespace mirror::face {

class FaceDetector {
public:
    virtual ~FaceDetector() = default;

    // Boxes in pixels of the picture, in no order; score 0 to 1. Throws EngineError if a model file is missing.
    virtual std::vector<FaceBox> detect(const Frame& picture) = 0;
    // Whether detect() itself looks at several sizes, so that it wants the picture as it is.
    virtual bool chooses_sizes() const { return false; }
};

// The detectors in the order in which they are tried: first the one of drawn people, which finds nothing in
// photographs. Where a detecting network lies among the face models (SCRFD of
// insightface, YuNet of OpenCV's model zoo) it is the only other one. Otherwise dlib's histogram-of-gradients detector,
// then OpenCV's Haar cascade. Finds of both are confirmed by a second, closer look of the former; both place dlib's 68
// landmarks. The models are loaded at first use.
std::vector<std::unique_ptr<FaceDetector>> make_face_detectors();

// Runs each detector until one finds something: on the picture at a sequence of sizes, so that small faces and faces
// that fill the frame are both found, and at last with a grey margin around it. The boxes lie in the picture; the
// largest and most central is first.
std::vector<FaceBox> find_faces(std::span<const std::unique_ptr<FaceDetector>> detectors, const Frame& picture);

// Ranks by area - 2 * (distance of the box's centre from the picture's centre)^2, the larger first.
void rank_center_weighted(std::vector<FaceBox>& faces, int width, int height);

}  // namespace mirror::face
