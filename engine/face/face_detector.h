#pragma once

// Finds faces and their five landmarks in an upright picture.

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"

namespace mirror::face {

class FaceDetector {
public:
    virtual ~FaceDetector() = default;

    // Boxes in pixels of the picture, in no order; score 0 to 1. Throws EngineError if a model file is missing.
    virtual std::vector<FaceBox> detect(const Frame& picture) = 0;
};

// dlib's histogram-of-gradients detector with its 68 landmarks, and where it finds nothing OpenCV's Haar cascade.
std::unique_ptr<FaceDetector> make_face_detector();

// Runs `detector` on the picture; while nothing is found on smaller versions of it, so that faces that fill the frame are found,
// and at last on one with a grey margin. The faces lie in the picture and are ranked: the largest and most central is first.
std::vector<FaceBox> find_faces(FaceDetector& detector, const Frame& picture);

// Ranks by area - 2 * (distance of the box's centre from the picture's centre)^2, the larger first.
void rank_center_weighted(std::vector<FaceBox>& faces, int width, int height);

}  // namespace mirror::face
