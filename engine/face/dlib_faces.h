#pragma once

// dlib's two face models behind plain values; the only file that includes dlib is its source.

#include <array>
#include <memory>
#include <vector>

#include "engine/core/face.h"
#include "engine/core/frame.h"

namespace mirror::face {

class DlibFaces {
public:
    DlibFaces();
    ~DlibFaces();
    DlibFaces(const DlibFaces&) = delete;
    DlibFaces& operator=(const DlibFaces&) = delete;

    // Boxes without landmarks. The detector's own threshold is 0; `score` is its margin mapped to 0..1, 0.5 at the threshold.
    std::vector<FaceBox> boxes(const Frame& picture, double threshold) const;

    // The 68 landmarks reduced to five: the middle of each eye, the tip of the nose, the mouth corners.
    std::array<Point, 5> landmarks(const Frame& picture, const FaceBox& box) const;

private:
    struct Models;
    std::shared_ptr<const Models> models_;
};

}  // namespace mirror::face
